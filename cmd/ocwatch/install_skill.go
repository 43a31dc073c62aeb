package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/ocwatch/ocwatch/deploy"
)

// installSkill teaches OpenClaw's agents to ask ocwatch, in the language that
// the owner is told things in.
func (g *global) installSkill(ctx context.Context, out io.Writer, dryRun bool) error {
	cfg, _, err := g.load()
	if err != nil {
		return err
	}
	in, err := findOpenClaw(cfg)
	if err != nil {
		return err
	}
	steps, err := deploy.InstallSkill(in.StateDir, cfg.Notify.Language)
	if err != nil {
		return err
	}
	nothing := "the skill is in " + filepath.Dir(deploy.SkillDir(in.StateDir))
	if err := proceed(ctx, out, steps, newCommands(), dryRun, nothing); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the program itself: %w", err)
	}
	if dir := filepath.Dir(self); !slices.Contains(usualPath, dir) {
		_, err = fmt.Fprintf(out, "note: OpenClaw offers it where its gateway finds ocwatch: %s has to be on the gateway's PATH, or ocwatch in %s\n", dir, usualPath[0])
	}
	return err
}

// skillToRemove is where the skill stands, "" where OpenClaw or the skill is
// gone, or is somebody else's.
func (g *global) skillToRemove() string {
	cfg, _, err := g.load()
	if err != nil {
		return ""
	}
	in, err := findOpenClaw(cfg)
	if err != nil {
		return ""
	}
	dir, _, err := deploy.FindSkill(in.StateDir)
	if err != nil {
		return ""
	}
	return dir
}
