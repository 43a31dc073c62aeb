package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

func TestTable(t *testing.T) {
	var out strings.Builder
	check(t, printTable(&out, []row{
		atMost("memory", 31, 30, "%.1f MB"),
		atMost("share", 0.2, 0.2, "%.2f %%"),
		atLeast("faster", 11.9, 12, "%.1f ×"),
		plain("its peak", "33.0 MB"),
	}))
	want := `figure    measured  goal       
memory    31.0 MB   ≤ 30.0 MB  MISSED
share     0.20 %    ≤ 0.20 %   ok
faster    11.9 ×    ≥ 12.0 ×   MISSED
its peak  33.0 MB              
`
	if out.String() != want {
		t.Errorf("table\n%s\nwant\n%s", &out, want)
	}
}

func TestMedian(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   []time.Duration
		want time.Duration
	}{
		{"nothing", nil, 0},
		{"one", []time.Duration{7}, 7},
		{"odd, unsorted", []time.Duration{9, 1, 5}, 5},
		{"even takes the upper", []time.Duration{1, 4, 3, 2}, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := median(tc.in); got != tc.want {
				t.Errorf("median %v, want %v", got, tc.want)
			}
		})
	}
}

func TestSwitchRowsHoldTheMediansAgainstEachOther(t *testing.T) {
	ms := func(n ...int) (d []time.Duration) {
		for _, n := range n {
			d = append(d, time.Duration(n)*time.Millisecond)
		}
		return d
	}
	for _, tc := range []struct {
		name        string
		r           switchResult
		bare, cli   string
		bareV, cliV string
	}{
		{"both kept", switchResult{Ours: ms(150, 900, 140), Pair: ms(100, 100), CLI: ms(1800)}, "1.50 ×", "12.0 ×", kept, kept},
		{"slow against the pair", switchResult{Ours: ms(160), Pair: ms(100), CLI: ms(4000)}, "1.60 ×", "25.0 ×", missed, kept},
		{"slow against the command", switchResult{Ours: ms(100), Pair: ms(100), CLI: ms(900, 1100, 1000)}, "1.00 ×", "10.0 ×", kept, missed},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rows := tc.r.rows()
			bare, cli := rows[len(rows)-2], rows[len(rows)-1]
			if bare.measured != tc.bare || bare.verdict != tc.bareV || cli.measured != tc.cli || cli.verdict != tc.cliV {
				t.Errorf("rows %+v and %+v", bare, cli)
			}
		})
	}
}

func TestCommandLine(t *testing.T) {
	for _, tc := range []struct{ name, args, wantErr string }{
		{"nothing is everything", "", ""},
		{"one part", "-parts round", ""},
		{"no such part", "-parts round,speed", `there is no "speed"`},
		{"no runs", "-runs 0", "numbers of 1 or more"},
		{"no time", "-idle 0s", "-idle of 1s or more"},
		{"an argument", "bin/ocwatch", "want no arguments"},
		{"no such flag", "-fast", "not defined"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o, err := parse(strings.Fields(tc.args), io.Discard)
			switch {
			case tc.wantErr == "" && (err != nil || len(o.parts) == 0):
				t.Errorf("options %+v, error %v", o, err)
			case tc.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tc.wantErr)):
				t.Errorf("error %v, want %q", err, tc.wantErr)
			}
		})
	}
}
