package text

import (
	"regexp"
	"strings"
	"sync"
)

// advice is what a reason tells a text beyond its words: mostly what a person
// should do.
type advice int

const (
	noAdvice advice = iota
	// payAdvice: what is missing is money, which no reset brings.
	payAdvice
	// browserAdvice: a login brought back the account that was there before.
	browserAdvice
	// itself: the gateway came back without a restart by ocwatch.
	itself
)

// understood is a clause that was looked up in the table of reasons.
type understood struct {
	text   string // in Chinese; as it was where known is false
	advice advice
	known  bool
}

// phrase is one row of the table: a clause as the code words it, and what it
// is in Chinese. {id}, {n}, {time} and the like stand for what differs and
// are kept; {clause} and {why} hold a clause of their own, {state} and
// {window} a word of ours. A digit tells two of a kind apart.
type phrase struct {
	english, chinese string
	advice           advice
}

// kinds are the expressions behind the placeholders.
var kinds = map[string]string{
	"id":     `(\S+)`,
	"n":      `(\d+(?:\.\d+)?)`,
	"time":   `((?:\d{4}-\d\d-\d\d )?\d\d:\d\d(?::\d\d)? UTC)`,
	"word":   `(\S+)`,
	"error":  `(.+)`,
	"state":  `(available|low|exhausted|dead|unknown|paid)`,
	"scope":  `(?:([^,;%()]+) )?`,
	"name":   `([^,;()]+)`,
	"window": `(5h|weekly|monthly|spend|window|\d+[dhms])`,
	"lasted": `(less than a minute|\d+ min|\d+ h)`,
	"clause": `(.+?)`,
	"why":    `(?: \((.+?)\))?`,
}

// endsWithTime is the end of a clause that says until when, by a clock alone.
var endsWithTime = regexp.MustCompile(` until \d\d:\d\d UTC$`)

// matcher is a phrase made ready.
type matcher struct {
	*phrase
	re    *regexp.Regexp
	names []string // of the placeholders, by their place
}

var placeholder = regexp.MustCompile(`\{([a-z]+)\d?\}`)

// matchers are made when the first reason is looked at: ocwatch without a
// receiver needs none.
var matchers = sync.OnceValue(func() []matcher {
	out := make([]matcher, len(phrases))
	for i := range phrases {
		out[i] = phrases[i].matcher()
	}
	return out
})

func (p *phrase) matcher() matcher {
	m := matcher{phrase: p}
	var b strings.Builder
	at := 0
	for _, found := range placeholder.FindAllStringSubmatchIndex(p.english, -1) {
		b.WriteString(regexp.QuoteMeta(p.english[at:found[0]]) + kinds[p.english[found[2]:found[3]]])
		m.names = append(m.names, p.english[found[0]:found[1]])
		at = found[1]
	}
	m.re = regexp.MustCompile("^" + b.String() + regexp.QuoteMeta(p.english[at:]) + "$")
	return m
}

// longestUnderstood bounds, in bytes, what is looked up: the clauses of ours are
// short, and an error that somebody else worded is in no table.
const longestUnderstood = 600

// understand looks clause up, as a whole and then by its parts: clauses are
// joined by semicolons, windows by commas. What nobody knows is kept as it is,
// so that it can be searched for.
func understand(clause string) understood {
	clause = strings.TrimRight(strings.TrimSpace(clause), ".")
	if len(clause) > longestUnderstood {
		return understood{text: clause}
	}
	if u, ok := lookUp(clause); ok {
		return u
	}
	for _, joint := range []struct{ english, chinese string }{{"; ", "；"}, {", ", "，"}} {
		if head, tail, ok := cutKnown(clause, joint.english); ok {
			head.text += joint.chinese + tail.text
			head.advice = max(head.advice, tail.advice)
			return head
		}
	}
	return understood{text: clause}
}

// cutKnown cuts clause at a joint, behind the longest part that is known: some
// clauses have such a joint within. The rest must be known too.
func cutKnown(clause, joint string) (head, tail understood, ok bool) {
	for i := strings.LastIndex(clause, joint); i > 0; i = strings.LastIndex(clause[:i], joint) {
		if head, ok := lookUp(clause[:i]); ok && head.known {
			tail = understand(clause[i+len(joint):])
			return head, tail, tail.known
		}
	}
	return head, tail, false
}

func lookUp(clause string) (understood, bool) {
	for _, m := range matchers() {
		if u, ok := m.match(clause); ok {
			return u, true
		}
	}
	return understood{}, false
}

func (m matcher) match(clause string) (understood, bool) {
	found := m.re.FindStringSubmatch(clause)
	if found == nil {
		return understood{}, false
	}
	u := understood{advice: m.advice, known: true}
	pairs := make([]string, 0, 2*len(m.names))
	for i, name := range m.names {
		text, inner := fill(name, found[i+1])
		u.known = u.known && inner.known
		u.advice = max(u.advice, inner.advice)
		pairs = append(pairs, name, text)
	}
	u.text = strings.NewReplacer(pairs...).Replace(m.chinese)
	return u, true
}

// fill is what stands for a placeholder in Chinese.
func fill(name, value string) (string, understood) {
	kind := placeholder.FindStringSubmatch(name)[1]
	inner := understood{text: value, known: true}
	switch kind {
	case "clause", "why":
		if value != "" {
			inner = understand(value)
		}
		if kind == "why" && value != "" {
			return "（" + inner.text + "）", inner
		}
	case "state":
		inner.text = chineseStates[value]
	case "window":
		inner.text = chineseWindow(value)
	case "lasted":
		inner.text = chineseLasted(value)
	case "scope":
		if value != "" {
			inner.text += " "
		}
	}
	return inner.text, inner
}
