package doctor

// endpoints says who can be told.
func endpoints(w World) []Finding {
	if w.Notify == nil {
		return nil
	}
	var list []Finding
	if !w.Notify.Told {
		list = append(list, Finding{
			ID: NotifyNone, Severity: Note, What: "nobody is told of anything",
			Why: "when every account is spent, or a login is dead, only the log has it",
			Fix: "add an entry under notify.webhooks or notify.channels in ocwatch's config, then run: ocwatch notify test",
		})
	}
	for _, e := range w.Notify.Endpoints {
		if e.Gone {
			list = append(list, Finding{
				ID: NotifyGone, Severity: Warning, About: e.Name, What: "it answered 410 Gone",
				Why: "nothing is sent there any more, until its address is another one",
				Fix: "set its address in ocwatch's config anew, or remove it",
			})
			continue
		}
		if e.Err == "" {
			continue
		}
		host := e.Host
		if e.Proxy {
			host = "the proxy " + host
		}
		f := Finding{
			ID: NotifyUnreachable, Severity: Warning, About: e.Name, What: host + ": " + e.Err,
			Why: "messages wait for it up to 3 days, and then nobody hears of them",
			Fix: "mend the way there, then run: ocwatch notify test --only " + quote(e.Name),
		}
		if e.Beat {
			f.Why, f.Fix = "its monitor hears nothing and raises the alarm", "mend the way there, or heartbeat.url in ocwatch's config"
		}
		list = append(list, f)
	}
	return list
}
