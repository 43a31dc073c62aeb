package text

import (
	"fmt"
	"strings"
	"time"
)

var english = words{
	stop: ".", gap: " ", colon: ": ", why: "Reason: ",
	polish: func(line string) string { return line },

	utc: "%s UTC", utcAndHere: "%s UTC (%s here)",
	at: "at %s", on: "on %s", hint: ", in %s", in: "in %s", soon: "soon",
	late:         "Late: this is from %s.",
	date:         func(t time.Time) string { return t.Format("Mon 2 Jan") },
	dateWithYear: func(t time.Time) string { return t.Format("2 Jan 2006") },
	span:         englishSpan,

	theServer: "the server", thePool: "The pool", aProfile: "A profile", theProfile: "the profile",
	anotherProfile: "another profile", aPaidProfile: "a paid profile", anAccount: "an account", oneOfThem: "one of them",
	ofAgent: " (agent %s)", ofProvider: "%s ",

	low: "%s is running low", spent: "%s is spent", recovered: "%s can serve again", loginRequired: "%s needs a fresh login",
	expires: "The login of %s expires %s", expiresAt: "It ends %s.",
	afterwards: "OpenClaw passes it over from then on.", renew: "Renew it before then",
	resets: "It starts afresh %s.", back: "Back %s.", backUnknown: "The time of return is not known.",
	looking: "ocwatch keeps looking.", nothingToDo: "Nothing to do.", notUrgent: "Not urgent as long as another account can serve.",
	pay: "Add credit or raise the limit at the provider.",

	switched: "%s now runs on %s.", switchedFrom: "%s now runs on %s instead of %s.",
	paid: "%s now runs on %s, which is billed for every token.", poolBack: "%s is back: %s can serve again.",
	firstFree: "The first free one is back %s.", backFromPaid: "ocwatch goes back as soon as a subscription can serve.",
	runsDry:     "%s runs dry about %s.",
	freeRunsDry: "The subscriptions of %s run dry about %s.",
	gapOf:       "That leaves a gap of %s.", paidNext: "Until then %s serves, which is billed for every token.",
	addAccount: "Add an account that has quota left before then",
	everyOut:   "Every %saccount%s is out",
	out: [ailments]outWords{
		isSpent:   {"The only %saccount%s is spent", "%s are spent.", "%d spent", "spent"},
		isDead:    {"The only %saccount%s needs a fresh login", "%s need a fresh login.", "%d in need of a login", "needs a login"},
		isShunned: {"The only %saccount%s is refused by OpenClaw after errors", "%s are refused by OpenClaw for now, after errors.", "%d refused by OpenClaw after errors", "refused by OpenClaw after errors"},
	},
	all:   englishAll,
	mixed: "%s are out: %s.", comma: ", ",
	// A headline of ours begins with an article or the like.
	reminder:  func(headline string) string { return "Reminder: " + strings.ToLower(headline[:1]) + headline[1:] },
	firstBack: "First back: %s %s.", byItself: "Nothing to do: it comes back by itself.",
	paused: "ocwatch is paused and begins no login; ocwatch resume ends that.",
	until:  ", until %s", more: "… and %d more",

	loginWaits: "A fresh %slogin is waiting for you", loginFailed: "The %slogin failed", loginDone: "The %slogin is done, as %s",
	logIn: "Log in", loginAs: "Log in again as %s", loginAgain: "Log in again", loginOther: "Log in with an account that has quota left",
	loginEither: "Log in as %s again, or with another account that has quota left", giveKey: "Give OpenClaw another API key", tryAgain: "Try again", tryCode: "Try again with a fresh code",
	code: "Code:", codeUntil: "Code, valid until %s:", linkUntil: "The link is valid until %s.",
	paste: "The browser ends on a page that does not load and looks like an error (%s/…): " +
		"that is right. Copy its whole address and hand it over on %s:",
	address: "ADDRESS", run: "Run on %s:", orRun: "Or run on %s:", orChat: "Or send this to OpenClaw in a private chat:",
	otherBrowser: "Log in from a private window, or log out of the old account at the provider first.",

	restarted: "The OpenClaw gateway on %s was restarted and is healthy", up: "The OpenClaw gateway on %s is up again", down: "The OpenClaw gateway on %s needs a look",
	look:    "To see how it is, run on %s:",
	started: "ocwatch is watching on %s.", stopped: "ocwatch has stopped on %s; nobody is watching the quota now.",
	seesAgain: "ocwatch on %s is no longer blind", test: "This is a test from ocwatch on %s. Nothing has happened.",
	blind: "ocwatch cannot see the quota of any %saccount", unchanged: "Nothing is changed until it can.",
	lookAtNetwork: "If this lasts, look at the network of %s.",

	reason: func(clause string) string { return strings.TrimRight(clause, ".") },
}

func englishAll(n int, provider, agent string) string {
	if n == 2 {
		return fmt.Sprintf("Both %saccounts%s", provider, agent)
	}
	return fmt.Sprintf("All %d %saccounts%s", n, provider, agent)
}

func englishSpan(s span) string {
	var parts []string
	switch {
	case s.days == 1:
		parts = append(parts, "1 day")
	case s.days > 1:
		parts = append(parts, fmt.Sprintf("%d days", s.days))
	}
	if s.hours > 0 {
		parts = append(parts, fmt.Sprintf("%d h", s.hours))
	}
	if s.minutes > 0 {
		parts = append(parts, fmt.Sprintf("%d min", s.minutes))
	}
	return strings.Join(parts, " ")
}
