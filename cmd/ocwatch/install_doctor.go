package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/ocwatch/ocwatch/deploy"
	"github.com/ocwatch/ocwatch/internal/doctor"
)

// bearable are the errors that an install does not wait for: a gateway that does
// not run is started with the service, and of a dead login and a gateway that is
// gone it is the watchdog that tells.
var bearable = []doctor.ID{doctor.GatewayDown, doctor.LoginDead, doctor.UnitFailed, doctor.UnitStartLimit}

// mended are the findings about ocwatch's own unit that an install ends, and
// that it tells itself.
var mended = []doctor.ID{
	doctor.UnitMissing, doctor.NotRunning, doctor.UnitFailed, doctor.UnitStartLimit, doctor.UnitDisabled, doctor.UnitRestarting,
}

// examineAs asks doctor, as the account that the service will run as, and returns
// what is worth saying before an install. What the install itself mends is left
// out.
func (g *global) examineAs(ctx context.Context, who account, system bool) ([]doctor.Finding, error) {
	all, err := g.findings(ctx, who)
	if err != nil {
		return nil, fmt.Errorf("ocwatch doctor: %w", err)
	}
	return slices.DeleteFunc(all, func(f doctor.Finding) bool {
		own := f.About == "" || f.About == deploy.Unit
		return f.Severity == doctor.Note || own && slices.Contains(mended, f.ID) || !system && f.ID == doctor.LingerOff
	}), nil
}

func (g *global) findings(ctx context.Context, who account) ([]doctor.Finding, error) {
	if !who.other {
		w, err := g.world(ctx)
		if err != nil {
			return nil, err
		}
		return doctor.Examine(w), ctx.Err()
	}
	// It ends with 1 where it found something, which is no failure of its own.
	out, failed := g.runAs(ctx, who, "doctor", "--json")
	var report doctorReport
	if err := json.Unmarshal(out, &report); err != nil {
		if failed == nil {
			failed = err
		}
		return nil, failed
	}
	return report.Findings, nil
}

// tellFindings says what doctor found, in a few lines each.
func tellFindings(out io.Writer, findings []doctor.Finding) error {
	var b strings.Builder
	fmt.Fprintf(&b, "doctor: %s\n", summary(findings))
	for _, f := range findings {
		what := f.What
		if f.About != "" && !strings.HasPrefix(f.What, f.About) {
			what = f.About + ": " + f.What
		}
		head := fmt.Sprintf("%-9s", f.Severity)
		for line := range strings.Lines(what) {
			wrap(&b, lookOf(out, os.Getenv).textWidth(), head, findingIndent, printable(line))
			head = findingIndent
		}
		fmt.Fprintf(&b, "%smend: %s\n", findingIndent, printable(f.Fix))
	}
	b.WriteByte('\n')
	_, err := io.WriteString(out, b.String())
	return err
}

// blocked is the error that keeps from installing, nil for none.
func blocked(findings []doctor.Finding, force bool) error {
	n := 0
	for _, f := range findings {
		if f.Severity == doctor.Error && !slices.Contains(bearable, f.ID) {
			n++
		}
	}
	switch {
	case n == 0 || force:
		return nil
	case n == 1:
		return fmt.Errorf("nothing is installed: mend the error above first (ocwatch doctor says more of it), or add --force")
	}
	return fmt.Errorf("nothing is installed: mend the %d errors above first (ocwatch doctor says more of them), or add --force", n)
}
