package channel

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
	"net/textproto"
	"strconv"
	"strings"
	"time"

	"ibrecorder/internal/notice"

	"github.com/wneessen/go-mail"
)

const (
	// mailTimeout bounds a message: a server may look at it for some seconds before it
	// takes it.
	mailTimeout = 20 * time.Second
	// mostTalk is how many bytes a server may say: a line without an end would be kept in
	// memory until there is none.
	mostTalk = 1 << 20
	// mailMost is how long a message may be, in bytes.
	mailMost = 64 << 10
)

// TLS is how a connection to a mail server is encrypted.
type TLS string

const (
	StartTLS TLS = "starttls" // a command that must succeed before anything else is said
	Implicit TLS = "implicit" // from the first byte
	NoTLS    TLS = "none"     // for a relay on this host
)

// MailConfig is where mail goes, and as whom.
type MailConfig struct {
	Name     string // of the channel
	Server   string // host:port
	TLS      TLS    // empty is StartTLS
	From     string // an address
	To       string // addresses, with commas between them
	User     string // empty: nobody logs in
	Password string
}

// Mail is a channel over SMTP. Either all recipients get a message or none.
type Mail struct {
	MailConfig
	host      string
	port      int
	trust     *tls.Config // of tests; nil trusts whom the system trusts
	timeout   time.Duration
	recipient []*netmail.Address
	from      *netmail.Address
}

// NewMail checks c. A password is sent over TLS alone, by PLAIN or LOGIN, or by what the
// server has of SCRAM if it has neither.
func NewMail(c MailConfig) (*Mail, error) {
	m := &Mail{MailConfig: c, timeout: mailTimeout}
	host, port, err := net.SplitHostPort(c.Server)
	if err != nil || host == "" {
		return nil, errors.New("server: want HOST:PORT, for example smtp.example.org:587")
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return nil, fmt.Errorf("server: %q is no port", port)
	}
	m.host, m.port = host, int(n)
	if m.from, err = netmail.ParseAddress(c.From); err != nil {
		return nil, errors.New("from: want an address, for example recorder@example.org")
	}
	if m.recipient, err = netmail.ParseAddressList(c.To); err != nil {
		return nil, errors.New("to: want addresses with commas between them")
	}
	switch m.TLS {
	case "":
		m.TLS = StartTLS
	case StartTLS, Implicit:
	case NoTLS:
		if !here(host) || c.User != "" {
			return nil, errors.New("tls: none is for a relay on this host, without a user; use starttls or implicit")
		}
	default:
		return nil, fmt.Errorf("tls: %q, want starttls, implicit or none", string(c.TLS))
	}
	if (c.User == "") != (c.Password == "") {
		return nil, errors.New("user: want a user and a password, or neither")
	}
	return m, nil
}

// Name implements alert.Channel.
func (m *Mail) Name() string { return m.MailConfig.Name }

// Tell implements alert.Channel. What was taken is told, also if the server says goodbye badly.
func (m *Mail) Tell(run context.Context, n notice.Notice) error {
	fail := &TellError{To: m.host, ExitCode: -1}
	if run.Err() != nil {
		fail.Err = context.Cause(run)
		return fail
	}
	ctx, cancel := try(run, m.timeout)
	defer cancel()
	msg, err := m.message(plain(n))
	if err == nil {
		err = m.send(ctx, msg)
	}
	if err == nil || msg != nil && msg.IsDelivered() {
		return nil
	}
	said := err.Error()
	if ctx.Err() != nil {
		said = context.Cause(ctx).Error()
	} else if e, ok := errors.AsType[*textproto.Error](err); ok {
		fail.Status, said = e.Code, e.Error()
	} else if e, ok := errors.AsType[*mail.SendError](err); ok {
		fail.Status = e.ErrorCode()
		said, _, _ = strings.Cut(said, ", affected ") // what follows is ours
	}
	fail.Final = fail.Status >= 500
	fail.Err = errors.New(redact(said, []string{m.Password}))
	return fail
}

// send says it to the server.
func (m *Mail) send(ctx context.Context, msg *mail.Msg) error {
	config := m.trust.Clone()
	if config == nil {
		config = &tls.Config{}
	}
	config.ServerName, config.MinVersion = m.host, tls.VersionTLS12
	policy := mail.TLSMandatory
	if m.TLS == NoTLS {
		policy = mail.NoTLS
	}
	with := []mail.Option{
		mail.WithPort(m.port), mail.WithTLSPolicy(policy), mail.WithTLSConfig(config), mail.WithTimeout(m.timeout),
		mail.WithDialContextFunc(func(dial context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(dial, network, address)
			if err != nil {
				return nil, err
			}
			context.AfterFunc(ctx, func() { conn.Close() }) // the library heeds a context only while it dials
			heard := &bounds{Conn: conn, left: mostTalk}
			if m.TLS == Implicit {
				return tls.Client(heard, config), nil
			}
			return heard, nil
		}),
	}
	if m.TLS == Implicit {
		with = append(with, mail.WithSSL())
	}
	if m.User != "" {
		with = append(with, mail.WithUsername(m.User), mail.WithPassword(m.Password), mail.WithOpportunisticSMTPAuth(mail.SMTPAuthPlain, mail.SMTPAuthLogin))
	}
	client, err := mail.NewClient(m.host, with...)
	if err != nil {
		return err
	}
	return client.DialAndSendWithContext(ctx, msg)
}

// message is n as mail. Its Message-ID comes from the key, so that it is the same message
// when it is sent again, and all of an incident refer to one that nobody has, so that they
// stand together.
func (m *Mail) message(n notice.Notice) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent(), mail.WithEncoding(mail.EncodingQP))
	msg.FromMailAddress(m.from)
	msg.ToMailAddress(m.recipient...)
	msg.Subject(n.Title)
	msg.SetDateWithValue(n.Time.UTC())
	msg.SetMessageIDWithValue(m.id(n.Key))
	if n.Incident != "" && n.Incident != n.Key {
		incident := "<" + m.id(n.Incident) + ">"
		msg.SetGenHeader(mail.HeaderInReplyTo, incident)
		msg.SetGenHeader(mail.HeaderReferences, incident)
	}
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // no answer by a machine (RFC 3834)
	if n.Severity == notice.Critical {
		msg.SetImportance(mail.ImportanceHigh)
	}
	title := n.Title
	n.Title = "" // it is the subject
	body := cmp.Or(fit(n, unmarked, mailMost, bytesOf), title)
	msg.SetBodyString(mail.TypeTextPlain, body+"\n")
	return msg, nil
}

// id is a key as a Message-ID without its brackets.
func (m *Mail) id(key string) string {
	return key + ".ibrecorder@" + m.from.Address[strings.LastIndexByte(m.from.Address, '@')+1:]
}

// bounds hears a server out up to a limit.
type bounds struct {
	net.Conn
	left int
}

func (l *bounds) Read(p []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("it says more than %d bytes: %w", mostTalk, io.ErrShortBuffer)
	}
	n, err := l.Conn.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}
