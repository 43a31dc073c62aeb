package journal

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// readingDoc is a reading as it is stored, beside its account and time. Ninety
// days of ten accounts are 200,000 of them, hence the short names. Times are
// Unix milliseconds.
type readingDoc struct {
	Verdict  quota.Verdict  `json:"v"`
	Provider string         `json:"f,omitempty"`
	Source   quota.Source   `json:"s,omitempty"`
	Reason   string         `json:"y,omitempty"`
	Until    int64          `json:"t,omitempty"`
	Plan     string         `json:"p,omitempty"`
	Repeats  int            `json:"n,omitempty"`
	Credits  *quota.Credits `json:"c,omitempty"`
	Windows  []windowDoc    `json:"w,omitempty"`
}

type windowDoc struct {
	Name           string   `json:"n"`
	Used           *float64 `json:"u,omitempty"`
	Resets         int64    `json:"r,omitempty"`
	Scope          string   `json:"m,omitempty"`
	Length         float64  `json:"l,omitempty"` // seconds
	Spent          bool     `json:"x,omitempty"`
	SuspectPercent bool     `json:"q,omitempty"`
	SuspectReset   bool     `json:"z,omitempty"`
}

func encodeReading(r quota.Reading) (string, error) {
	d := readingDoc{
		Verdict: r.Verdict, Provider: r.Provider, Source: r.Source, Reason: r.Reason, Until: millis(sane(r.Until)),
		Plan: r.Plan, Repeats: r.Repeats, Credits: r.Credits,
	}
	for _, w := range r.Windows {
		if p := w.UsedPercent; p != nil && (math.IsNaN(*p) || math.IsInf(*p, 0)) {
			w.UsedPercent = nil
		}
		d.Windows = append(d.Windows, windowDoc{
			Name: w.Name, Used: w.UsedPercent, Resets: millis(sane(w.ResetsAt)), Scope: w.Scope, Length: w.Length.Seconds(),
			Spent: w.Spent, SuspectPercent: w.SuspectPercent, SuspectReset: w.SuspectReset,
		})
	}
	doc, err := json.Marshal(d)
	return string(doc), err
}

func decodeReading(account string, at time.Time, doc string) (quota.Reading, error) {
	if strings.HasPrefix(doc, `{"account"`) {
		return decodeReading1(doc)
	}
	var d readingDoc
	if err := json.Unmarshal([]byte(doc), &d); err != nil {
		return quota.Reading{}, fmt.Errorf("a stored reading: %w", err)
	}
	r := quota.Reading{
		Account: account, Provider: d.Provider, At: at, Source: d.Source, Verdict: d.Verdict, Reason: d.Reason,
		Until: fromMillis(d.Until), Plan: d.Plan, Repeats: d.Repeats, Credits: d.Credits,
	}
	for _, w := range d.Windows {
		r.Windows = append(r.Windows, quota.Window{
			Name: w.Name, UsedPercent: w.Used, ResetsAt: fromMillis(w.Resets), Scope: w.Scope,
			Length: time.Duration(math.Round(w.Length * float64(time.Second))),
			Spent:  w.Spent, SuspectPercent: w.SuspectPercent, SuspectReset: w.SuspectReset,
		})
	}
	return r, nil
}

// reading1 is a reading as schema 1 stored it: the JSON of the API, with what
// is left out there.
type reading1 struct {
	quota.Reading
	Windows []window1 `json:"windows,omitempty"`
}

type window1 struct {
	quota.Window
	Length time.Duration `json:"length_ns,omitempty"`
	Spent  bool          `json:"spent,omitempty"`
}

func decodeReading1(doc string) (quota.Reading, error) {
	var s reading1
	if err := json.Unmarshal([]byte(doc), &s); err != nil {
		return quota.Reading{}, fmt.Errorf("a stored reading: %w", err)
	}
	for _, w := range s.Windows {
		w.Window.Length, w.Window.Spent = w.Length, w.Spent
		s.Reading.Windows = append(s.Reading.Windows, w.Window)
	}
	return s.Reading, nil
}

// sane drops a time that no provider can mean.
func sane(t time.Time) time.Time {
	if y := t.UTC().Year(); y < 1 || y > 9998 {
		return time.Time{}
	}
	return t
}
