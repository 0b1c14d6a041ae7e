package httpapi

import (
	"context"
	"net/http"

	"ibrecorder/internal/access"
)

// LogKeeper is a Gateway whose log can be cared for while it is written. It is asked over
// the socket alone: an archive is written where the caller says, with the recorder's rights.
type LogKeeper interface {
	// Roll seals the newest part of the log and opens the next one.
	Roll(ctx context.Context, r Roll) (Part, error)
	// Archive rolls, and moves every rolled part into files in a folder.
	Archive(ctx context.Context, a Archive) ([]Part, error)
}

// Roll is an operator's order.
type Roll struct {
	// By is the operator. It must not be empty.
	By string `json:"by"`
	// Reason is theirs, and may be empty.
	Reason string `json:"reason"`
}

// Archive is an operator's order.
type Archive struct {
	// By is the operator. It must not be empty.
	By string `json:"by"`
	// Folder is where the files come, an absolute path.
	Folder string `json:"folder"`
}

// Part is a piece of a gateway's log that takes nothing more.
type Part struct {
	// Part counts from 1.
	Part int `json:"part"`
	// First and Last are the sequences of its events.
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	// Bytes is what it took in the data folder.
	Bytes int64 `json:"bytes"`
	// File has its events, one a line; absent while the log has them.
	File string `json:"file,omitempty"`
	// Hash is that of its last event, of an archived part.
	Hash string `json:"hash,omitempty"`
}

// keeper answers on the socket alone.
func (h *handler) keeper(f func(http.ResponseWriter, *http.Request, LogKeeper) error) func(http.ResponseWriter, *http.Request, Gateway) error {
	return func(w http.ResponseWriter, r *http.Request, g Gateway) error {
		k, ok := g.(LogKeeper)
		if !ok || !access.Of(r.Context()).Owner {
			return unknownRoute.with("nothing is at "+r.URL.Path+" here", "ask over the socket in the data folder: recorder log --help")
		}
		return f(w, r, k)
	}
}

func (h *handler) roll(w http.ResponseWriter, r *http.Request, k LogKeeper) error {
	var order Roll
	if err := readStrict(w, r, &order); err != nil {
		return err
	}
	if order.By == "" {
		return malformed.with("by is missing", "say who rolls the log")
	}
	p, err := k.Roll(r.Context(), order)
	if err == nil {
		h.answer(w, http.StatusOK, p)
	}
	return err
}

func (h *handler) archive(w http.ResponseWriter, r *http.Request, k LogKeeper) error {
	var order Archive
	if err := readStrict(w, r, &order); err != nil {
		return err
	}
	if order.By == "" || order.Folder == "" {
		return malformed.with("by or folder is missing", "say who archives the log, and where to")
	}
	parts, err := k.Archive(r.Context(), order)
	if err == nil {
		h.answer(w, http.StatusOK, append([]Part{}, parts...))
	}
	return err
}

// Roll seals the newest part of a gateway's log and opens the next one.
func (c *Client) Roll(ctx context.Context, gateway string, r Roll) (p Part, err error) {
	return p, c.order(ctx, "roll the log of "+gateway, route(gateway, "log/roll"), r, &p)
}

// Archive moves what can be moved of a gateway's log into files.
func (c *Client) Archive(ctx context.Context, gateway string, a Archive) (parts []Part, err error) {
	return parts, c.order(ctx, "archive the log of "+gateway, route(gateway, "log/archive"), a, &parts)
}
