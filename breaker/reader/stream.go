package reader

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"sync"
)

// maxEvent is the longest line of a stream. An event of Hystrix has 3 kB.
const maxEvent = 1 << 20

// A stream is an open stream of server-sent events. It keeps reading, so that whoever
// asks gets what is new and not what has piled up.
type stream struct {
	news   chan Sample // the newest that nobody took
	done   chan struct{}
	cancel context.CancelFunc

	mu   sync.Mutex
	told map[string]bool // the names of what it told of
	err  error           // why it ended
}

// streamAt opens the stream at u and hands each event's data to read, which returns
// what it is about, and the sample if that is the breaker asked for.
func (w *web) streamAt(ctx context.Context, u *url.URL, read func(data []byte) (name string, s *Sample, err error)) (*stream, error) {
	life, cancel := context.WithCancel(context.WithoutCancel(ctx)) // it outlives the Read that opens it
	late := context.AfterFunc(ctx, cancel)
	resp, err := w.open(life, u)
	if !late() && err == nil { // ctx ended in between
		_ = resp.Body.Close()
		err = blind(u, context.Cause(ctx))
	}
	if err == nil && mediaType(resp) != "text/event-stream" {
		_ = resp.Body.Close()
		err = blind(u, fmt.Errorf("got %q, want a text/event-stream", mediaType(resp)))
	}
	if err != nil {
		cancel()
		if ctx.Err() != nil {
			err = blind(u, fmt.Errorf("%w (hystrix-go does not answer before the first call of any command)", plain(ctx.Err(), w.Timeout)))
		}
		return nil, err
	}
	s := &stream{news: make(chan Sample, 1), done: make(chan struct{}), cancel: cancel, told: map[string]bool{}}
	go s.follow(resp, read)
	return s, nil
}

// follow reads the stream until it ends.
func (s *stream) follow(resp *http.Response, read func([]byte) (string, *Sample, error)) {
	defer close(s.done)
	defer resp.Body.Close()
	err := events(resp.Body, func(data []byte) error {
		name, sample, err := read(data)
		if err != nil {
			return err
		}
		s.heard(name)
		if sample != nil {
			select {
			case <-s.news: // it is old now
			default:
			}
			s.news <- *sample
		}
		return nil
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

func (s *stream) heard(name string) {
	const most = 1000
	s.mu.Lock()
	defer s.mu.Unlock()
	if name != "" && len(s.told) < most {
		s.told[name] = true
	}
}

// next waits for the next sample. It returns none if ctx ends first.
func (s *stream) next(ctx context.Context) (Sample, bool, error) {
	select {
	case sample := <-s.news: // also of a stream that has ended since
		return sample, true, nil
	default:
	}
	select {
	case sample := <-s.news:
		return sample, true, nil
	case <-s.done:
		s.mu.Lock()
		defer s.mu.Unlock()
		return Sample{}, false, s.err
	case <-ctx.Done():
		return Sample{}, false, nil
	}
}

// names lists what the stream told of.
func (s *stream) names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Keys(s.told))
}

// end closes the stream and waits for its goroutine.
func (s *stream) end() {
	s.cancel()
	<-s.done
}

// events calls each with the data of every event in r, and returns why r ended.
func events(r io.Reader, each func(data []byte) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxEvent)
	var data []byte
	for lines.Scan() {
		line := lines.Bytes()
		if rest, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			rest = bytes.TrimPrefix(rest, []byte(" "))
			if len(data)+len(rest) > maxEvent {
				return bufio.ErrTooLong
			}
			data = append(append(data, rest...), '\n')
			continue
		}
		if len(line) > 0 || len(data) == 0 { // a field of no interest here, or the end of an event without data
			continue
		}
		if err := each(data); err != nil {
			return err
		}
		data = data[:0]
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errors.New("the stream ended")
}
