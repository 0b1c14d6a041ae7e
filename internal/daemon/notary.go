package daemon

import (
	"context"

	"ibrecorder/internal/checkpoint"
	"ibrecorder/internal/recorder"
)

// engage makes the notary of a gateway's log, or says why there is none.
func (p *post) engage(ctx context.Context, keys *checkpoint.Keys) recorder.Notary {
	if keys == nil {
		return nil
	}
	n, err := checkpoint.NewNotary(ctx, keys, p.d.cfg.Data, p.cfg.Name, p.log, p.d.cfg.Logger)
	if err != nil {
		p.d.cfg.Logger.Error("no checkpoints are written", "gateway", p.cfg.Name, "error", err)
		return nil
	}
	p.notary = n
	return n
}

// sign writes the checkpoint of the end of a run, once its last event is in the log. The
// loop has ended.
func (p *post) sign() {
	if p.notary != nil {
		p.notary.Close()
	}
}
