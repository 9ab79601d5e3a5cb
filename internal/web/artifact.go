package web

import (
	"context"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"

	"github.com/foreshock/foreshock/results"
)

// artifact answers with a piece of evidence. Its content came from a checked service:
// it is shown as what it is only where that cannot act, and no script of it runs.
func (s *server) artifact(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	if b, err := hex.DecodeString(id); err != nil || len(b) != 32 {
		s.fail(w, r, http.StatusBadRequest, "artifact: want the 64 hexadecimal digits of a SHA-256", nil)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerLimit)
	defer cancel()
	a, err := s.Store.Artifact(ctx, strings.ToLower(id))
	switch {
	case errors.Is(err, results.ErrNotFound):
		s.fail(w, r, http.StatusNotFound, "artifact: not kept, or no longer", nil)
		return
	case err != nil:
		s.fail(w, r, http.StatusInternalServerError, "the store does not answer", err)
		return
	}
	mediaType, inline := shown(a.MediaType)
	h := w.Header()
	h.Set("Content-Type", mediaType)
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'")
	h.Set("Cache-Control", "private, max-age=31536000, immutable") // its address is its content
	if !inline {
		h.Set("Content-Disposition", "attachment")
	}
	if _, err := w.Write(a.Data); err != nil {
		s.Log.DebugContext(r.Context(), "reader went away", "path", r.URL.Path, "error", err)
	}
}

// shown tells how to show a media type: as itself, or as a file to be saved.
func shown(mediaType string) (as string, inline bool) {
	base, _, _ := strings.Cut(strings.ToLower(mediaType), ";")
	switch base = strings.TrimSpace(base); base {
	case "image/png", "image/jpeg", "image/webp", "application/json":
		return base, true
	case "text/plain", "text/html":
		return base + "; charset=utf-8", true
	}
	return "application/octet-stream", false
}
