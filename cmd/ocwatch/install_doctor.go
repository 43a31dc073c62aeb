package main

import (
	"context"
	"encoding/json"
	"errors"
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

// examineAs asks doctor, as the account that the service will run as. What the
// install itself mends is left out.
func (g *global) examineAs(ctx context.Context, who account, system bool) (doctorReport, error) {
	report, err := g.reportAs(ctx, who)
	if err != nil {
		return report, fmt.Errorf("ocwatch doctor: %w", err)
	}
	report.Findings = slices.DeleteFunc(report.Findings, func(f doctor.Finding) bool {
		own := f.About == "" || f.About == deploy.Unit
		return f.Severity == doctor.Note || own && slices.Contains(mended, f.ID) || !system && f.ID == doctor.LingerOff
	})
	return report, nil
}

func (g *global) reportAs(ctx context.Context, who account) (report doctorReport, err error) {
	if !who.other {
		w, err := g.world(ctx)
		if err != nil {
			return report, err
		}
		return reportOf(w, nil), ctx.Err()
	}
	// It ends with 1 where it found something, which is no failure of its own.
	out, failed := g.runAs(ctx, who, "doctor", "--json")
	if err := json.Unmarshal(out, &report); err != nil {
		if failed == nil {
			failed = err
		}
		return report, failed
	}
	return report, nil
}

// twice is the error for a service that runs already, under the other manager.
func twice(report doctorReport, system bool) error {
	for _, u := range report.Units {
		if u.Name != deploy.Unit || u.User != system || u.Active != "active" && u.Active != "activating" {
			continue
		}
		if u.User {
			return errors.New("ocwatch runs as a service of the account already, and two would be in each other's way: run ocwatch uninstall as that account first, or add --force")
		}
		return errors.New("ocwatch runs as a service of the system already, and two would be in each other's way: run sudo ocwatch uninstall --system first, or add --force")
	}
	return nil
}

// tellFindings says what doctor found, in a few lines each.
func tellFindings(out io.Writer, findings []doctor.Finding) error {
	var b strings.Builder
	fmt.Fprintf(&b, "doctor: %s\n", summary(findings))
	l := lookOf(out, os.Getenv)
	l.colours = false // the steps below have none
	for _, f := range findings {
		writeWhat(&b, f, "", l)
		writeMend(&b, f)
	}
	b.WriteByte('\n')
	_, err := io.WriteString(out, b.String())
	return err
}

// blocked is the error that keeps from installing, nil for none.
func blocked(findings []doctor.Finding) error {
	n := 0
	for _, f := range findings {
		if f.Severity == doctor.Error && !slices.Contains(bearable, f.ID) {
			n++
		}
	}
	switch n {
	case 0:
		return nil
	case 1:
		return errors.New("nothing was done: mend the error above first (ocwatch doctor says more of it), or add --force")
	}
	return fmt.Errorf("nothing was done: mend the %d errors above first (ocwatch doctor says more of them), or add --force", n)
}
