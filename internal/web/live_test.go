package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stream is a page that stays open: what was written, and whether to accept it.
type stream struct {
	*httptest.ResponseRecorder
	mu   sync.Mutex
	gone bool
	got  strings.Builder
}

func newStream() *stream { return &stream{ResponseRecorder: httptest.NewRecorder()} }

func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.gone {
		return 0, http.ErrHandlerTimeout
	}
	return s.got.Write(p)
}

func (s *stream) SetReadDeadline(time.Time) error  { return nil }
func (s *stream) SetWriteDeadline(time.Time) error { return nil }

// take is what was written since it was last asked.
func (s *stream) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.got.String()
	s.got.Reset()
	return text
}

// open serves a stream until its context ends.
func open(ctx context.Context, h *hub) (s *stream, done chan struct{}) {
	s, done = newStream(), make(chan struct{})
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/events", http.NoBody)
	go func() {
		defer close(done)
		h.serve(s, r)
	}()
	return s, done
}

// TestEvents: each page is told of each change, and hears something now and
// then without any.
func TestEvents(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		h := newHub()
		one, done1 := open(ctx, h)
		two, done2 := open(ctx, h)
		synctest.Wait()
		for _, s := range []*stream{one, two} {
			if got := s.take(); got != "retry: 3000\n\n" {
				t.Errorf("begins with %q", got)
			}
			if kind := s.Header().Get("Content-Type"); kind != "text/event-stream" {
				t.Errorf("content type %q", kind)
			}
		}
		for range 2 {
			h.changed()
			synctest.Wait()
			for _, s := range []*stream{one, two} {
				if got := s.take(); got != "data: changed\n\n" {
					t.Errorf("told %q of a change", got)
				}
			}
		}
		time.Sleep(keepAlive + time.Second)
		synctest.Wait()
		if got := one.take(); got != ":\n\n" {
			t.Errorf("wrote %q without news", got)
		}
		cancel()
		<-done1
		<-done2
	})
}

// TestEventsOfClosedPage: a page that is gone is noticed by the next line.
func TestEventsOfClosedPage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := newHub()
		s, done := open(t.Context(), h)
		synctest.Wait()
		s.mu.Lock()
		s.gone = true
		s.mu.Unlock()
		began := time.Now()
		<-done
		if took := time.Since(began); took > keepAlive {
			t.Errorf("noticed after %s", took)
		}
		if h.watching != 0 {
			t.Errorf("%d are still counted", h.watching)
		}
	})
}

// TestTooManyPages: strangers cannot take all there is, and the owner always
// gets in.
func TestTooManyPages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		h := newHub()
		var all []chan struct{}
		for range mostWatching {
			_, done := open(ctx, h)
			all = append(all, done)
		}
		synctest.Wait()
		s, done := open(ctx, h)
		<-done
		if s.Code != http.StatusServiceUnavailable {
			t.Errorf("one more gets %d", s.Code)
		}
		owner, ownerDone := newStream(), make(chan struct{})
		go func() {
			defer close(ownerDone)
			h.serveOwner(owner, httptest.NewRequestWithContext(ctx, http.MethodGet, "/owner/events", http.NoBody))
		}()
		synctest.Wait()
		if got := owner.take(); !strings.HasPrefix(got, "retry") {
			t.Errorf("the owner gets %q", got)
		}
		cancel()
		for _, done := range append(all, ownerDone) {
			<-done
		}
		if h.watching != 0 {
			t.Errorf("%d are still counted", h.watching)
		}
	})
}

// TestHeadOfEvents: what asks for the header alone gets it, and no stream.
func TestHeadOfEvents(t *testing.T) {
	t.Parallel()
	h, rw := newHub(), httptest.NewRecorder()
	h.serve(rw, httptest.NewRequest(http.MethodHead, "/events", http.NoBody))
	if kind := rw.Header().Get("Content-Type"); kind != "text/event-stream" || rw.Body.Len() > 0 || h.watching != 0 {
		t.Errorf("%q, %q, %d watching", kind, rw.Body, h.watching)
	}
}
