package notify

import (
	"context"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"pgregory.net/rapid"

	"github.com/ocwatch/ocwatch/internal/event"
	"github.com/ocwatch/ocwatch/internal/journal"
)

// phone is a chat: it answers by a function of how often it was asked, from 0.
type phone struct {
	mu     sync.Mutex
	answer func(n int) Answer
	texts  []spoken
}

type spoken struct {
	id, text string
	at       time.Time
	answer   Answer
}

func (p *phone) Send(_ context.Context, m Outgoing) Answer {
	p.mu.Lock()
	defer p.mu.Unlock()
	a := Answer{Kind: Accepted}
	if p.answer != nil {
		a = p.answer(len(p.texts))
	}
	p.texts = append(p.texts, spoken{m.ID, string(m.Body), time.Now(), a})
	return a
}

func (*phone) Shown() string  { return "chat" }
func (*phone) Target() string { return "t1" }
func (*phone) Joins() bool    { return true }

func (p *phone) heard() []spoken {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.texts)
}

// words are the texts as heard, each with the second it came at.
func (p *phone) words(begin time.Time) []string {
	var list []string
	for _, s := range p.heard() {
		list = append(list, fmt.Sprintf("%v %s", s.at.Sub(begin), strings.ReplaceAll(s.text, gap, "+")))
	}
	return list
}

func answers(kinds ...AnswerKind) func(int) Answer {
	return func(n int) Answer { return Answer{Kind: kinds[min(n, len(kinds)-1)], Text: "as told"} }
}

// ring is a notifier with one chat, on a host without a name: so texts are the
// words alone.
func ring(t *testing.T, store Store, p *phone, log io.Writer) *Notifier {
	t.Helper()
	n, err := New(Options{Endpoints: []Endpoint{{Name: "phone", Sender: p}}, Store: store, Log: zerolog.New(log)})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// say routes a message of these words into the store and returns its id.
func say(t *testing.T, n *Notifier, store committer, words string) string {
	t.Helper()
	ms, err := n.Route(event.Event{Type: event.Test, Data: event.Data{Message: words}})
	if err != nil || len(ms) != 1 {
		t.Fatalf("%d messages, %v", len(ms), err)
	}
	if err := store.Commit(context.WithoutCancel(t.Context()), journal.Round{At: time.Now(), Messages: ms}); err != nil {
		t.Fatal(err)
	}
	n.Wake()
	return ms[0].ID
}

// utterance is said so long after the one before it.
type utterance struct {
	after time.Duration
	words string
}

func TestABurstBecomesOneText(t *testing.T) {
	const s = time.Second
	long := strings.Repeat("l", 2000)
	var endless []utterance
	for i := range 18 {
		endless = append(endless, utterance{1500 * time.Millisecond, strconv.Itoa(i)})
	}
	cases := map[string]struct {
		said []utterance
		want []string
	}{
		"one":              {[]utterance{{0, "a"}}, []string{"10s a"}},
		"three":            {[]utterance{{0, "a"}, {4 * s, "b"}, {5 * s, "c"}}, []string{"10s a+b+c"}},
		"and one too late": {[]utterance{{0, "a"}, {9 * s, "b"}, {2 * s, "c"}}, []string{"10s a+b", "21s c"}},
		"without end":      {endless, []string{"11.5s 0+1+2+3+4+5+6", "22s 7+8+9+10+11+12+13", "32.5s 14+15+16+17"}},
		"too much for one text": {
			[]utterance{{0, "a" + long}, {s, "b" + long}, {s, "c"}},
			[]string{"10s a" + long, "11s b" + long + "+c"},
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p, store := &phone{}, &memory{}
				n := ring(t, store, p, io.Discard)
				stop := start(t.Context(), n)
				begin := time.Now()
				for _, u := range c.said {
					time.Sleep(u.after)
					say(t, n, store, u.words)
				}
				time.Sleep(time.Minute)
				stop()
				if got := p.words(begin); !reflect.DeepEqual(got, c.want) {
					t.Errorf("got  %q\nwant %q", got, c.want)
				}
				if store.left() != 0 || len(store.dead) != 0 {
					t.Errorf("%d left, %d dead", store.left(), len(store.dead))
				}
			})
		})
	}
}

// A batch that nobody took is the same batch, under the same id, when it is
// tried again; what came meanwhile goes after it, under its own.
func TestABatchIsTriedAgainAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, store, log := &phone{answer: answers(Failed, Failed, Accepted)}, &memory{}, &safeBuffer{}
		n := ring(t, store, p, log)
		stop := start(t.Context(), n)
		say(t, n, store, "a")
		say(t, n, store, "b")
		time.Sleep(12 * time.Second) // past the first attempt
		say(t, n, store, "c")
		time.Sleep(time.Hour)
		stop()
		all := p.heard()
		var texts []string
		for _, s := range all {
			texts = append(texts, s.text)
		}
		if want := []string{"a\n\nb", "a\n\nb", "a\n\nb", "c"}; !reflect.DeepEqual(texts, want) {
			t.Fatalf("heard %q, want %q", texts, want)
		}
		if all[0].id != all[1].id || all[1].id != all[2].id || all[2].id == all[3].id {
			t.Errorf("ids: %+v", all)
		}
		if store.left() != 0 || len(store.dead) != 0 {
			t.Errorf("%d left, %d dead", store.left(), len(store.dead))
		}
		if got := log.String(); strings.Count(got, "tried again") != 2 || !strings.Contains(got, `"messages":2`) {
			t.Errorf("log: %s", got)
		}
	})
}

// One message of a batch is what the service refuses: it alone is given up.
func TestOneRefusedMessageTakesNoOtherWithIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, store := &phone{}, &memory{}
		p.answer = nil
		bad := &picky{phone: p, word: "b"}
		n, err := New(Options{Endpoints: []Endpoint{{Name: "phone", Sender: bad}}, Store: store, Log: zerolog.Nop(), Host: "srv1"})
		if err != nil {
			t.Fatal(err)
		}
		stop := start(t.Context(), n)
		ids := map[string]string{}
		for _, w := range []string{"a", "b", "c"} {
			ids[w] = say(t, n, store, w)
		}
		time.Sleep(11 * time.Second) // past the first attempt
		ids["d"] = say(t, n, store, "d")
		time.Sleep(time.Hour)
		stop()
		var texts []string
		for _, s := range p.heard() {
			texts = append(texts, strings.ReplaceAll(s.text, gap, "+")+" "+map[AnswerKind]string{Accepted: "ok", Refused: "no"}[s.answer.Kind])
		}
		want := []string{"srv1: a+b+c no", "srv1: a ok", "srv1: b no", "srv1: b no", "srv1: c ok", "srv1: d ok"}
		if !reflect.DeepEqual(texts, want) {
			t.Errorf("heard %q, want %q", texts, want)
		}
		for w, id := range ids {
			if store.isDead(id) != (w == "b") {
				t.Errorf("%s: dead %v", w, store.isDead(id))
			}
		}
	})
}

// picky refuses every text that holds a word.
type picky struct {
	*phone
	word string
}

func (p *picky) Send(ctx context.Context, m Outgoing) Answer {
	p.mu.Lock()
	p.answer = answers(Accepted)
	if strings.Contains(string(m.Body), p.word) {
		p.answer = answers(Refused)
	}
	p.mu.Unlock()
	return p.phone.Send(ctx, m)
}

func TestChatThatWantsNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, store := &phone{answer: answers(Gone)}, &memory{}
		n := ring(t, store, p, io.Discard)
		stop := start(t.Context(), n)
		ids := []string{say(t, n, store, "a"), say(t, n, store, "b")}
		time.Sleep(time.Minute)
		ids = append(ids, say(t, n, store, "c"))
		time.Sleep(time.Minute)
		stop()
		if len(p.heard()) != 1 || store.gone != "t1" {
			t.Errorf("heard %+v, gone %q", p.heard(), store.gone)
		}
		for _, id := range ids {
			if !store.isDead(id) {
				t.Errorf("%s is not dead", id)
			}
		}
	})
}

// At the end there is no time to wait for company.
func TestHurry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, store := &phone{}, &memory{}
		n := ring(t, store, p, io.Discard)
		stop := start(t.Context(), n)
		begin := time.Now()
		say(t, n, store, "a")
		time.Sleep(time.Second)
		say(t, n, store, "b")
		n.Hurry()
		synctest.Wait()
		say(t, n, store, "c")
		synctest.Wait()
		stop()
		if got, want := p.words(begin), []string{"1s a+b", "1s c"}; !reflect.DeepEqual(got, want) {
			t.Errorf("heard %q, want %q", got, want)
		}
	})
}

// A store that fails at any one operation loses nothing, keeps the order, and
// costs the chat no repetition at all.
func TestStoreFailsAtEveryOperationOfABatch(t *testing.T) {
	for _, after := range []bool{false, true} {
		for op, reached := 0, true; reached; op++ {
			synctest.Test(t, func(t *testing.T) {
				p, store := &phone{answer: answers(Failed, Accepted, Refused, Accepted)}, &memory{}
				f := &faulty{Store: store, n: op, after: after}
				n := ring(t, f, p, io.Discard)
				stop := start(t.Context(), n)
				for i, w := range []string{"a", "b", "c", "d", "e"} {
					if i == 2 {
						time.Sleep(10 * time.Minute)
					}
					say(t, n, store, w)
				}
				time.Sleep(10 * time.Minute)
				stop()
				var texts []string
				for _, s := range p.heard() {
					texts = append(texts, strings.ReplaceAll(s.text, gap, "+"))
				}
				if want := []string{"a+b", "a+b", "c+d+e", "c", "d", "e"}; !reflect.DeepEqual(texts, want) || store.left() != 0 || len(store.dead) != 0 {
					t.Errorf("operation %d (after %v): heard %q, want %q; %d left", op, after, texts, want, store.left())
				}
				reached = f.ops > op
			})
		}
	}
}

// Whatever is answered, whenever something is said, and with a restart between:
// every message is taken once or given up, in order, and no text is too long.
func TestAnyAnswersOfAChat(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		kinds := rapid.SliceOfN(rapid.SampledFrom([]AnswerKind{Accepted, Accepted, Failed, Refused, Gone}), 1, 12).Draw(rt, "answers")
		said := rapid.SliceOfN(rapid.IntRange(0, 30), 1, 20).Draw(rt, "seconds between the messages")
		size := rapid.IntRange(1, maxText+100).Draw(rt, "size")
		restart := rapid.IntRange(0, len(said)).Draw(rt, "restart before message")
		var wrong string
		synctest.Test(t, func(t *testing.T) { wrong = anyChat(t, kinds, said, size, restart) })
		if wrong != "" {
			rt.Fatal(wrong)
		}
	})
}

func anyChat(t *testing.T, kinds []AnswerKind, said []int, size, restart int) string {
	t.Helper()
	p, store := &phone{answer: func(n int) Answer { return Answer{Kind: kinds[n%len(kinds)]} }}, &memory{}
	n := ring(t, store, p, io.Discard)
	stop := start(t.Context(), n)
	var ids []string
	var times []time.Time
	for i, gap := range said {
		if i == restart {
			stop()
			n = ring(t, store, p, io.Discard)
			stop = start(t.Context(), n)
		}
		time.Sleep(time.Duration(gap) * time.Second)
		times = append(times, time.Now())
		ids = append(ids, say(t, n, store, fmt.Sprint(i, ":", strings.Repeat("x", size))))
	}
	time.Sleep(giveUpAfter * 2)
	stop()
	if store.left() > 0 {
		return "messages are still pending"
	}
	return checkHeard(p.heard(), store, ids, times)
}

var lateLine = regexp.MustCompile(`(?m)^Late: this is from \S[^\n]*\n`)

// onTime is a text without the lines that say how late it is.
func onTime(text string) string { return lateLine.ReplaceAllString(text, "") }

// checkHeard is the oracle: it knows only what the chat heard.
func checkHeard(all []spoken, store *memory, ids []string, times []time.Time) string {
	taken, at := make([]bool, len(ids)), 0
	for i, s := range all {
		if len(s.text) > maxText {
			return "too long"
		}
		if i > 0 && (s.id == all[i-1].id) != (onTime(s.text) == onTime(all[i-1].text)) {
			return "the id does not go with the content"
		}
		if i > 0 && all[i-1].answer.Kind == Gone {
			return "sent though it wanted no more"
		}
		for j, line := range strings.Split(s.text, gap) {
			told := onTime(line)
			num, _, _ := strings.Cut(told, ":")
			n, err := strconv.Atoi(num)
			if err != nil || n < at || n >= len(ids) || taken[n] {
				return "not the next: " + num
			}
			if late := s.at.Sub(times[n].Truncate(time.Second)) > lateAfter; late != (told != line) {
				return fmt.Sprintf("sent after %v as %q", s.at.Sub(times[n]), line)
			}
			if j == 0 {
				at = n // nothing before it may come any more
			}
			taken[n] = s.answer.Kind == Accepted
		}
	}
	for i, id := range ids {
		if taken[i] == store.isDead(id) {
			return fmt.Sprintf("message %d: neither taken nor dead, or both", i)
		}
	}
	return ""
}
