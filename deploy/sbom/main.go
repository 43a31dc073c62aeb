// Command sbom writes what a Go program is made of, as a software bill of
// materials in CycloneDX's JSON. It reads the program itself, so that it lists
// what was linked, not what might have been. It is for building releases.
//
//	SOURCE_DATE_EPOCH=… go run ./deploy/sbom VERSION PROGRAM >FILE
package main

import (
	"debug/buildinfo"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1) //nolint:forbidigo // this is main
	}
}

func run(args []string, w io.Writer) error {
	if len(args) != 2 {
		return fmt.Errorf("want a version and a program; got %d arguments", len(args))
	}
	epoch, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if err != nil {
		return fmt.Errorf("SOURCE_DATE_EPOCH is to be the time of the source, in seconds since 1970: %w", err)
	}
	info, err := buildinfo.ReadFile(args[1])
	if err != nil {
		return err
	}
	enc := cyclonedx.NewBOMEncoder(w, cyclonedx.BOMFileFormatJSON).SetPretty(true)
	return enc.EncodeVersion(bill(info, args[0], time.Unix(epoch, 0)), cyclonedx.SpecVersion1_5)
}
