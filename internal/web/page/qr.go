package page

import (
	"fmt"
	"html/template"
	"strings"

	"rsc.io/qr"
)

// quiet is the white border that readers of QR codes need, in squares.
const quiet = 4

// newQR returns the QR code of address, nil where there is none or it is too
// long for one that a phone reads from a screen.
func newQR(address string) *qrView {
	const most = 600 // bytes; such a code has 97 squares on a side
	if address == "" || len(address) > most {
		return nil
	}
	code, err := qr.Encode(address, qr.L)
	if err != nil {
		return nil
	}
	var b strings.Builder
	b.WriteString(`d="`)
	for y := range code.Size {
		for x := 0; x < code.Size; {
			n := 0
			for code.Black(x+n, y) {
				n++
			}
			if n > 0 {
				fmt.Fprintf(&b, "M%d %dh%dv1h-%dz", x+quiet, y+quiet, n, n)
			}
			x += max(1, n)
		}
	}
	b.WriteByte('"')
	side := code.Size + 2*quiet
	return &qrView{
		Box:  fmt.Sprintf("0 0 %d %d", side, side),
		Path: template.HTMLAttr(b.String()), //nolint:gosec // numbers alone
	}
}
