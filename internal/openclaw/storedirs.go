package openclaw

import "fmt"

// StoreDirs lists the directories whose JSON files hold what Documents gives for
// agent: its own, then the main agent's, from which it inherits. They need not
// exist.
func (i *Install) StoreDirs(agent string) ([]string, error) {
	id := agentID(agent)
	if id == "" {
		return nil, fmt.Errorf("%q is no agent id", agent)
	}
	cfg, err := i.Config()
	if err != nil {
		return nil, err
	}
	r := reader{install: i, cfg: cfg}
	if own := r.dir(id); own != r.mainDir() {
		return []string{own, r.mainDir()}, nil
	}
	return []string{r.mainDir()}, nil
}
