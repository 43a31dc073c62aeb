package main

import (
	"context"
	"io"
	"path/filepath"

	"github.com/ocwatch/ocwatch/deploy"
	"github.com/ocwatch/ocwatch/internal/openclaw"
)

// installSkill teaches OpenClaw's agents to ask ocwatch, in the language that
// the owner is told things in.
func (g *global) installSkill(ctx context.Context, out io.Writer, dryRun bool) error {
	cfg, _, err := g.load()
	if err != nil {
		return err
	}
	in, err := openclaw.Find(openclaw.Options{StateDir: cfg.OpenClaw.StateDir, Command: cfg.OpenClaw.Command})
	if err != nil {
		return err
	}
	steps, err := deploy.InstallSkill(in.StateDir, cfg.Notify.Language)
	if err != nil {
		return err
	}
	nothing := "the skill is in " + filepath.Dir(deploy.SkillDir(in.StateDir))
	if dryRun {
		return showSteps(out, steps, nothing)
	}
	return carryOut(ctx, out, steps, newCommands(), nothing)
}

// skillToRemove is where the skill stands, "" where OpenClaw or the skill is
// gone, or is somebody else's.
func (g *global) skillToRemove() string {
	cfg, _, err := g.load()
	if err != nil {
		return ""
	}
	in, err := openclaw.Find(openclaw.Options{StateDir: cfg.OpenClaw.StateDir, Command: cfg.OpenClaw.Command})
	if err != nil {
		return ""
	}
	dir, _, err := deploy.FindSkill(in.StateDir)
	if err != nil {
		return ""
	}
	return dir
}
