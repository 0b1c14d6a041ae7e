package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"

	"ibrecorder/events"
	"ibrecorder/internal/bundle"
	"ibrecorder/internal/checkpoint"
	"ibrecorder/internal/report"
	"ibrecorder/internal/source"
	"ibrecorder/internal/tty"
	"ibrecorder/internal/veil"

	"github.com/spf13/cobra"
)

func newPack(t *terminal) *cobra.Command {
	var out string
	var redact, force bool
	c := verb(&cobra.Command{
		Use:   "pack SOURCE -w FILE.ibrec",
		Short: "Pack a log with all that proves it, for somebody else",
		Long: `Pack a whole log into one file that only you can read: the events, the verdict, the
timeline, and what the recorder has signed of them (recorder log key). Whoever has the
public key can verify it with nothing else, and every verb of replay reads it. It is a
zip, for other tools.

--redact replaces what says who, where and in which words by commitments: names, texts,
hosts, process ids, the ids of runners. Equal values have equal ones, so the verdict is the
same, and the signatures hold as well. Kinds, times, codes, ports and the gateway's name
stay. A bundle that is not redacted can be redacted later, by whoever has it.

Only a data folder has signatures, and what was packed from one. A log that is not whole is
not packed.`,
		Example: `  replay pack ~/.local/state/ibrecorder -w night.ibrec
  replay pack ~/.local/state/ibrecorder --gateway live -w public.ibrec --redact
  replay verify public.ibrec --key recorder.pub`,
	})
	t.outputFlag(c, "table", "json")
	c.Flags().StringVarP(&out, "write", "w", "", "`FILE` to write")
	c.Flags().BoolVar(&redact, "redact", false, "hide who, where and in which words")
	c.Flags().BoolVar(&force, "force", false, "overwrite the file")
	c.RunE = func(c *cobra.Command, args []string) error { return t.pack(c, args[0], out, redact, force) }
	return c
}

// packJSON is what `replay pack -o json` prints.
type packJSON struct {
	Schema  int    `json:"schema_version"`
	Source  string `json:"source"`  // as it was typed
	Out     string `json:"out"`     // the file that was written
	Gateway string `json:"gateway"` // its name
	// Redacted says that who, where and in which words is hidden.
	Redacted bool   `json:"redacted"`
	Events   int    `json:"events"` // how many are in it
	First    uint64 `json:"first"`  // sequence of the first event
	Last     uint64 `json:"last"`   // sequence of the last event
	// Outcome is the verdict in the bundle, Covered the last event under a signature.
	Outcome     string   `json:"outcome"`
	Checkpoints int      `json:"checkpoints"` // how many signatures are in it
	Covered     uint64   `json:"covered"`
	Problems    []string `json:"problems,omitempty"` // what is wrong with what was written; absent if nothing is
}

func (t *terminal) pack(c *cobra.Command, name, out string, redact, force bool) error {
	if out == "" || out == "-" {
		return errors.New("pack: name the file: -w FILE.ibrec")
	}
	return t.read(c, name, func(src *source.Source, bar *tty.Bar) error {
		if err := packInto(c.Context(), src, bar, out, redact, force); err != nil {
			return err
		}
		return t.packed(c, src, out)
	})
}

// packInto writes the bundle of a source.
func packInto(ctx context.Context, src *source.Source, bar *tty.Bar, out string, redact, force bool) error {
	p, err := newPacker(ctx, src, redact)
	if err != nil {
		return err
	}
	contents, err := p.contents(bar)
	bar.Clear()
	if err != nil {
		return err
	}
	return toFile("pack", out, force, func(w io.Writer) error {
		b := bufio.NewWriterSize(w, 64<<10)
		if err := bundle.Write(b, contents); err != nil {
			return err
		}
		return b.Flush()
	})
}

// packed verifies what was written, as whoever gets it would, and says so.
func (t *terminal) packed(c *cobra.Command, from *source.Source, out string) (err error) {
	src, err := source.Open(c.Context(), out, source.Options{Temp: t.temp})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	v, err := judge(c.Context(), src, report.Range{}, nil, nil, nil)
	if err != nil {
		return err
	}
	h, e := src.Bundle.Header, v.Evidence
	said := packJSON{Schema: report.Schema, Source: from.Name, Out: out, Gateway: h.Gateway, Redacted: h.Redacted, Events: h.Events, First: h.First, Last: h.Last,
		Outcome: string(v.Verdict.Outcome), Checkpoints: e.Checkpoints, Covered: e.Covered}
	for _, err := range e.Problems {
		said.Problems = append(said.Problems, err.Error())
	}
	if t.output == "json" {
		err = report.WriteJSON(t.out, said)
	} else {
		signed, key, check := "nothing in it is signed", "KEY", []string{"replay", "verify", out}
		if from.Folder != "" {
			key = checkpoint.PublicKeyPath(from.Folder)
		}
		if e.Covered > 0 {
			signed = fmt.Sprintf("#1 to #%d are signed by %s", e.Covered, e.Key)
			check = append(check, "--key", key)
		}
		fmt.Fprintf(t.err, "wrote %d events of %s, #%d to #%d, to %s: %s; %s\ncheck it with: %s\n", h.Events, h.Gateway, h.First, h.Last, out,
			v.Verdict.Outcome, signed, report.Command(check...))
		if e.Covered > 0 {
			fmt.Fprintln(t.err, "whoever gets it needs the public key as well, by another way: recorder log key")
		}
	}
	if len(e.Problems) > 0 {
		return errors.Join(err, fmt.Errorf("%w: %w", errBroken, errors.Join(e.Problems...)))
	}
	return err
}

// packer makes the contents of a bundle from a source. The stream is read several times,
// so that a long one need not fit into memory.
type packer struct {
	ctx    context.Context
	src    *source.Source
	signed bundle.Signed
	// salts begins anew with the salts of the stored lines; nil if the lines are veiled
	// already, or are to be packed as they are and nobody has signed them.
	salts  func() (veil.Salts, error)
	redact bool
	last   uint64 // what is packed; a recorder that runs goes on meanwhile
}

func newPacker(ctx context.Context, src *source.Source, redact bool) (*packer, error) {
	p := &packer{ctx: ctx, src: src, redact: redact}
	switch {
	case src.Bundle != nil:
		return p, p.fromBundle()
	case src.Folder != "":
		return p, p.fromFolder()
	}
	if redact {
		p.unsigned()
	}
	return p, nil
}

// unsigned hides under a secret that nobody keeps: there is no signature that it would have
// to fit.
func (p *packer) unsigned() {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // never fails
	p.salts = func() (veil.Salts, error) { return veil.NewKey(secret, ""), nil }
}

func (p *packer) fromFolder() (err error) {
	if p.signed.Checkpoints, err = checkpoint.Read(p.src.Folder, p.src.Gateway); err != nil {
		return err
	}
	p.signed.Key, err = checkpoint.PublicKey(p.src.Folder)
	if errors.Is(err, fs.ErrNotExist) && len(p.signed.Checkpoints) == 0 { // a recorder of before there were any
		if p.redact {
			p.unsigned()
		}
		return nil
	}
	if err != nil {
		return err
	}
	key, err := checkpoint.Salts(p.src.Folder, p.src.Gateway)
	if err != nil {
		return fmt.Errorf("%w; without it nothing that was signed can be checked: bring it back, or pack what replay export writes", err)
	}
	p.salts = func() (veil.Salts, error) { return key, nil }
	return nil
}

func (p *packer) fromBundle() error {
	b := p.src.Bundle
	p.signed = b.Signed
	p.redact = p.redact || b.Header.Redacted
	if b.Header.Redacted {
		return nil
	}
	given, err := b.Given()
	if given == nil {
		if err == nil && p.redact {
			err = errors.New("pack: nothing in this bundle is signed, and it has no salts; redact what it was packed from")
		}
		return err
	}
	p.salts = func() (veil.Salts, error) { return b.Given() }
	return nil
}

// lines are those of the bundle.
func (p *packer) lines() iter.Seq2[events.Record, error] {
	in := p.src.Events(p.ctx, 0, p.last)
	if !p.redact || p.salts == nil {
		return in
	}
	return func(yield func(events.Record, error) bool) {
		salts, err := p.salts()
		if err != nil {
			yield(events.Record{}, err)
			return
		}
		v := veil.New(salts, events.Hash{})
		for rec, err := range in {
			if err == nil {
				rec, err = v.Line(rec)
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

// contents reads the source once for the judge, and leaves the rest to be read when the
// bundle is written.
func (p *packer) contents(bar *tty.Bar) (bundle.Contents, error) {
	var c bundle.Contents
	if err := p.whole(bar); err != nil {
		return c, fmt.Errorf("%w; replay export keeps what can be read: %w", errBroken, err)
	}
	v := report.Verify(p.lines())
	if v.Broken != nil {
		return c, v.Broken
	}
	v.Cite(p.lines())
	docs, err := documentsOf(dossier{v, p.lines()})
	if err != nil {
		return c, err
	}
	if p.salts != nil && !p.redact {
		if p.signed.Salts, err = p.salts(); err != nil {
			return c, err
		}
	}
	c = bundle.Contents{
		Header: bundle.Header{Gateway: v.Gateway, Redacted: p.redact, Events: v.Verdict.Events, First: v.Verdict.First, Last: v.Verdict.Last,
			Head: v.Verdict.Head, MadeBy: version()},
		Signed: p.signed, Events: p.lines(), Documents: docs,
	}
	return c, nil
}

// whole reads the source once: one unbroken history, and the salts of the stored bytes at
// each checkpoint.
func (p *packer) whole(bar *tty.Bar) error {
	sizes := map[uint64]bool{}
	for _, s := range p.signed.Checkpoints {
		sizes[s.Size] = true
	}
	var key veil.Salts
	if p.salts != nil && p.src.Bundle == nil && !p.redact {
		var err error
		if key, err = p.salts(); err != nil {
			return err
		}
		p.signed.Heads = checkpoint.Heads{}
	}
	for rec, err := range newWitness(p.src).tell(bar.Watch(p.src.Events(p.ctx, 0, 0))) {
		if err != nil {
			return err
		}
		if p.last = rec.Seq; key != nil && sizes[rec.Seq] {
			salt, err := veil.HeadSalt(key, rec.Hash())
			if err != nil {
				return err
			}
			p.signed.Heads[rec.Seq] = salt
		}
	}
	if p.last == 0 {
		return errNothing
	}
	return nil
}
