package probe

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// TestObserved: each probe is heard of once, with what came of it and the time
// that it took, also where it failed.
func TestObserved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type heard struct {
			provider string
			verdict  quota.Verdict
			took     time.Duration
		}
		var got []heard
		p := New(Options{
			Table: map[string]Func{
				"quick": func(context.Context, Account, *http.Client) (quota.Reading, error) {
					time.Sleep(time.Second)
					return quota.Reading{Verdict: quota.OK}, nil
				},
				"broken": func(context.Context, Account, *http.Client) (quota.Reading, error) {
					time.Sleep(2 * time.Second)
					return quota.Reading{}, errors.New("reset by peer")
				},
			},
			Observe: func(provider string, v quota.Verdict, took time.Duration) {
				got = append(got, heard{provider, v, took})
			},
		})
		defer p.Close()
		p.ProbeAll(t.Context(), []Account{{Key: "a", Provider: "quick"}, {Key: "b", Provider: "broken"}}, 1)
		want := []heard{{"quick", quota.OK, time.Second}, {"broken", quota.Unreachable, 2 * time.Second}}
		if len(got) != len(want) {
			t.Fatalf("heard %v", got)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("heard %v, want %v", got[i], want[i])
			}
		}
	})
}
