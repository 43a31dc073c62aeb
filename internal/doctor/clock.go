package doctor

import (
	"fmt"
	"time"
)

const (
	// skewNoted is what the Date header and an answer's way leave room for.
	skewNoted = time.Minute
	// skewRefused is how far apart Standard Webhooks allows sender and receiver
	// to be; a receiver refuses the rest as a replay.
	skewRefused = 5 * time.Minute
)

// clocks says whether the machine's clock is right, by the providers'. Where
// several agree that it is wrong, it is told once.
func clocks(w World) []Finding {
	var list []Finding
	told := false
	for _, c := range w.Clocks {
		switch {
		case c.Err != nil:
			list = append(list, Finding{
				ID: ProviderUnreachable, Severity: Warning, About: c.URL, What: c.Err.Error(),
				Why: "the accounts of " + c.Provider + " cannot be asked what they have left, so nothing is switched before they fail",
				Fix: "curl -sSI " + c.URL,
			})
		case c.Said && c.Ahead.Abs() > skewNoted && !told:
			told = true
			list = append(list, skewed(c))
		}
	}
	return list
}

func skewed(c Clock) Finding {
	where := "ahead of"
	if c.Ahead < 0 {
		where = "behind"
	}
	f := Finding{
		ID: ClockSkew, Severity: Warning, About: c.URL,
		What: fmt.Sprintf("this machine's clock is %s %s the provider's", c.Ahead.Abs().Round(time.Second), where),
		Why:  "resets, blocks and the ends of tokens are compared with it, by ocwatch and by OpenClaw: accounts look spent or usable when they are not",
		Fix:  "timedatectl set-ntp true",
	}
	if c.Ahead.Abs() > skewRefused {
		f.Severity = Error
		f.Why += "; receivers of signed webhooks refuse what is more than 5 minutes off"
	}
	return f
}
