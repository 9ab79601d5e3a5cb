package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/foreshock/foreshock/results"
)

const (
	maxStreams     = 100 // open at once
	streamQueue    = 512 // records that wait for one reader
	heartbeat      = 15 * time.Second
	streamPatience = 10 * time.Second // that one write may take
)

// live sends every fresh record as a server-sent event. A reader that falls behind
// is cut off, and gets the whole again when it comes back: the page asks anew.
func (s *server) live(w http.ResponseWriter, r *http.Request) {
	if s.Live == nil {
		w.WriteHeader(http.StatusNoContent) // which tells an EventSource not to come back
		return
	}
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		s.fail(w, r, http.StatusServiceUnavailable, "too many live streams", nil)
		return
	}
	s.endWithServer(r)
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	queue := pump(ctx, s.Live.Subscribe(ctx))
	w.Header().Set("Content-Type", "text/event-stream")
	out := stream{w, http.NewResponseController(w)}
	if out.send("retry: 2000\n\n") != nil {
		return
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		text := ": still here\n\n"
		select {
		case <-ctx.Done():
			return
		case <-s.closing:
			return
		case <-beat.C:
		case rec, ok := <-queue:
			if !ok {
				return
			}
			b, err := json.Marshal(rec)
			if err != nil {
				s.Log.WarnContext(ctx, "record cannot be sent live", "seq", rec.Seq, "error", err)
				continue
			}
			text = fmt.Sprintf("event: record\nid: %d\ndata: %s\n\n", rec.Seq, b)
		}
		if out.send(text) != nil {
			return
		}
	}
}

// endWithServer lets the server's Shutdown end the streams, for which it would wait
// in vain otherwise.
func (s *server) endWithServer(r *http.Request) {
	srv, ok := r.Context().Value(http.ServerContextKey).(*http.Server)
	if !ok {
		return
	}
	s.once.Do(func() { srv.RegisterOnShutdown(func() { close(s.closing) }) })
}

// pump takes records as fast as they come, whatever its reader does. It closes the
// queue when in is closed or the reader is too far behind.
func pump(ctx context.Context, in <-chan results.Record) <-chan results.Record {
	queue := make(chan results.Record, streamQueue)
	go func() {
		fill(ctx, in, queue)
		close(queue)
		for { // whoever publishes must not wait for us while the reader is told
			select {
			case <-ctx.Done():
				return
			case _, ok := <-in:
				if !ok {
					return
				}
			}
		}
	}()
	return queue
}

func fill(ctx context.Context, in <-chan results.Record, queue chan<- results.Record) {
	for {
		select {
		case <-ctx.Done():
			return
		case rec, ok := <-in:
			if !ok {
				return
			}
			select {
			case queue <- rec:
			default:
				return
			}
		}
	}
}

type stream struct {
	w  http.ResponseWriter
	rc *http.ResponseController
}

func (s stream) send(text string) error {
	if err := s.rc.SetWriteDeadline(time.Now().Add(streamPatience)); err != nil {
		return fmt.Errorf("write deadline: %w", err)
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return fmt.Errorf("write: %w", err)
	}
	return s.rc.Flush()
}
