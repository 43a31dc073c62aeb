package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ocwatch/ocwatch/internal/quota"
)

// shapeDoc is what seldom changes from one reading of an account to the next.
// Readings share it: ninety days of ten accounts are 200,000 readings.
type shapeDoc struct {
	Provider string         `json:"provider"`
	Source   quota.Source   `json:"source"`
	Verdict  quota.Verdict  `json:"verdict"`
	Plan     string         `json:"plan,omitempty"`
	Credits  *quota.Credits `json:"credits,omitempty"` // the balance apart
	Windows  []shapeWindow  `json:"windows,omitempty"`
}

type shapeWindow struct {
	Name           string        `json:"name"`
	Scope          string        `json:"scope,omitempty"`
	Length         time.Duration `json:"length_ns,omitempty"`
	Spent          bool          `json:"spent,omitempty"`
	SuspectPercent bool          `json:"suspect_percent,omitempty"`
	SuspectReset   bool          `json:"suspect_reset,omitempty"`
}

// readingDoc is the rest of a reading, beside its account and time. Times are
// Unix milliseconds. Used and Resets are by window.
type readingDoc struct {
	Reason  string     `json:"y,omitempty"`
	Until   int64      `json:"t,omitempty"`
	Repeats int        `json:"n,omitempty"`
	Balance float64    `json:"b,omitempty"`
	Used    []*float64 `json:"u,omitempty"`
	Resets  []int64    `json:"r,omitempty"`
}

func encodeReading(r quota.Reading) (shape, doc string, err error) {
	s := shapeDoc{Provider: r.Provider, Source: r.Source, Verdict: r.Verdict, Plan: r.Plan}
	d := readingDoc{Reason: r.Reason, Until: millis(sane(r.Until)), Repeats: r.Repeats}
	if r.Credits != nil {
		c := *r.Credits
		d.Balance, c.Balance = c.Balance, 0
		s.Credits = &c
	}
	for _, w := range r.Windows {
		if p := w.UsedPercent; p != nil && (math.IsNaN(*p) || math.IsInf(*p, 0)) {
			w.UsedPercent = nil
		}
		d.Used, d.Resets = append(d.Used, w.UsedPercent), append(d.Resets, millis(sane(w.ResetsAt)))
		s.Windows = append(s.Windows, shapeWindow{
			Name: w.Name, Scope: w.Scope, Length: w.Length, Spent: w.Spent,
			SuspectPercent: w.SuspectPercent, SuspectReset: w.SuspectReset,
		})
	}
	common, err := json.Marshal(s)
	if err != nil {
		return "", "", err
	}
	own, err := json.Marshal(d)
	return string(common), string(own), err
}

func decodeReading(account string, at time.Time, shape, doc string) (quota.Reading, error) {
	var s shapeDoc
	var d readingDoc
	err := errors.Join(json.Unmarshal([]byte(shape), &s), json.Unmarshal([]byte(doc), &d))
	if err == nil && (len(d.Used) != len(s.Windows) || len(d.Resets) != len(s.Windows)) {
		err = errors.New("its windows are not those of its shape")
	}
	if err != nil {
		return quota.Reading{}, fmt.Errorf("a stored reading: %w", err)
	}
	r := quota.Reading{
		Account: account, Provider: s.Provider, At: at, Source: s.Source, Verdict: s.Verdict, Reason: d.Reason,
		Until: fromMillis(d.Until), Plan: s.Plan, Repeats: d.Repeats, Credits: s.Credits,
	}
	if r.Credits != nil {
		r.Credits.Balance = d.Balance
	}
	for i, w := range s.Windows {
		r.Windows = append(r.Windows, quota.Window{
			Name: w.Name, UsedPercent: d.Used[i], ResetsAt: fromMillis(d.Resets[i]), Scope: w.Scope,
			Length: w.Length, Spent: w.Spent, SuspectPercent: w.SuspectPercent, SuspectReset: w.SuspectReset,
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
