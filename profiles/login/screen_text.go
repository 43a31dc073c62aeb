package login

// textKind is what a byte of a terminal's output is.
type textKind int

const (
	nothing  textKind = iota // a control sequence, or part of one
	textByte                 // part of a line
	lineEnd
)

// textReader takes control sequences out of a terminal's output. Those that
// move the cursor end the line: what comes next is written elsewhere.
type textReader struct {
	state    textState
	returned bool // the last byte was a carriage return, which ended the line
}

type textState int

const (
	plainText textState = iota
	escaped             // after ESC
	csi                 // ESC [ …
	osc                 // ESC ] … up to BEL or ESC \, and its relatives
	oscEscaped
	charset // ESC ( and one more
)

const (
	bell   = 0x07
	escape = 0x1b
)

// next takes one byte.
func (t *textReader) next(b byte) textKind {
	switch t.state {
	case escaped:
		return t.afterEscape(b)
	case csi:
		if b >= 0x40 && b <= 0x7e {
			t.state = plainText
			return moving(b)
		}
		return nothing
	case osc:
		switch b {
		case bell:
			t.state = plainText
		case escape:
			t.state = oscEscaped
		case '\n': // one that was never ended must not swallow the rest
			t.state = plainText
			return lineEnd
		}
		return nothing
	case oscEscaped:
		t.state = osc
		if b == '\\' {
			t.state = plainText
		}
		return nothing
	case charset:
		t.state = plainText
		return nothing
	case plainText:
	}
	return t.plain(b)
}

// plain takes a byte outside of sequences. Carriage return and newline are one
// end of a line; a return alone begins to write over it.
func (t *textReader) plain(b byte) textKind {
	again := t.returned
	t.returned = b == '\r'
	switch {
	case b == escape:
		t.state = escaped
		return nothing
	case b == '\n', b == '\r':
		if again {
			return nothing
		}
		return lineEnd
	case b < ' ' && b != '\t', b == 0x7f:
		return nothing
	default:
		return textByte
	}
}

func (t *textReader) afterEscape(b byte) textKind {
	t.state = plainText
	switch b {
	case '[':
		t.state = csi
	case ']', 'P', 'X', '^', '_':
		t.state = osc
	case '(', ')', '*', '+', '#', '%', ' ':
		t.state = charset
	case escape:
		t.state = escaped
	case 'D', 'E', 'M', 'c': // index, next line, reverse index, reset
		return lineEnd
	}
	return nothing
}

// moving tells the final bytes of sequences that move the cursor or clear what
// is there from those that change its looks.
func moving(final byte) textKind {
	switch final {
	case 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H', 'J', 'K', 'L', 'M', 'S', 'T', 'd', 'f':
		return lineEnd
	default:
		return nothing
	}
}
