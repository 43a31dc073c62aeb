package text

import "time"

// words is how one language says what an event tells. A format takes the same
// arguments in every language, numbered where they come in another order.
type words struct {
	stop   string // ends a sentence
	gap    string // stands between two
	colon  string
	why    string // stands before a reason with a line of its own
	polish func(line string) string

	// Times. See clock.
	utc, utcAndHere    string // clock; clock, the reader's clock
	at, on             string // time of today, of another day
	hint, in           string // span
	soon               string
	late               string // time
	date, dateWithYear func(time.Time) string
	span               func(span) string

	// Who and where.
	theServer, thePool, aProfile, theProfile, anotherProfile, aPaidProfile, anAccount, oneOfThem string
	ofAgent                                                                                      string // agent
	ofProvider                                                                                   string // provider, before "account" or "login"

	// Of a profile. The first argument is its name.
	low, spent, recovered, loginRequired string
	expires                              string // name, in how many days
	expiresAt, afterwards, renew         string // time
	resets, back                         string // time
	backUnknown, looking                 string
	nothingToDo, notUrgent, pay          string

	// Of a pool. The first argument is its name.
	switched, switchedFrom string // name, to, from
	paid, poolBack         string // name, to
	firstFree              string // time
	backFromPaid           string
	runsDry, freeRunsDry   string // name, time
	gapOf, paidNext        string // how long; profile
	addAccount             string
	everyOut               string // provider, agent
	all                    func(n int, provider, agent string) string
	out                    [ailments]outWords
	mixed                  string // all, the counts, parted by comma
	comma                  string
	reminder               func(headline string) string
	firstBack              string // profile, time
	byItself               string
	paused                 string // of an event that asks for a login meanwhile
	until                  string // time
	more                   string // how many

	// Of a login.
	loginWaits, loginFailed                                                         string // provider
	loginDone                                                                       string // provider, profile
	logIn, loginAs, loginAgain, loginOther, loginEither, giveKey, tryAgain, tryCode string // profile, where there is an argument
	code                                                                            string
	codeUntil, linkUntil                                                            string // time
	paste                                                                           string // address, server
	address                                                                         string // stands for what is pasted
	run, orRun                                                                      string // server
	orChat, otherBrowser                                                            string

	// Of the gateway and of ocwatch. The argument is the server.
	restarted, up, down, look, started, seesAgain, stopped, test string
	blind                                                        string // provider
	unchanged, lookAtNetwork                                     string

	// reason tells a clause of failover's, probe's, profiles' or the
	// watchdog's.
	reason func(clause string) string
}

func wordsOf(lang Language) *words {
	if lang == Chinese {
		return &chinese
	}
	return &english
}
