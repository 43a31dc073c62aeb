package config

import (
	"fmt"
	"strings"

	"github.com/ocwatch/ocwatch/internal/web"
)

// Port is what Listen and Web say of what is served.
func (c *Config) Port() web.Port {
	p := web.Port{Address: c.Listen, URL: c.Web.URL, Token: c.Web.Token, CertFile: c.Web.CertFile, KeyFile: c.Web.KeyFile}
	for _, text := range c.Web.Proxies {
		if proxy, err := web.ParseProxy(text); err == nil { // else validate refused it
			p.Proxies = append(p.Proxies, proxy)
		}
	}
	return p
}

// web leaves to package web what may be served.
func (d *decoder) web(c *Config) {
	if strings.HasSuffix(c.Listen, ":0") {
		d.failAt("listen", "port 0 is another one at each start; want one like 18790")
	}
	for i, text := range c.Web.Proxies {
		if _, err := web.ParseProxy(text); err != nil {
			d.failAt(fmt.Sprintf("web.proxies[%d]", i), "%q: %v", short(text), err)
		}
	}
	unique(d, "web.proxies", c.Web.Proxies)
	keys := map[string]string{
		web.FieldAddress: "listen", web.FieldURL: "web.url", web.FieldToken: d.given("web.token"),
		web.FieldCert: "web.cert_file", web.FieldKey: "web.key_file", web.FieldProxies: "web.proxies",
	}
	for _, p := range c.Port().Problems() {
		if p.NoToken && c.Web.TokenFile != "" {
			continue // why is said already
		}
		d.failAt(keys[p.Field], "%s", p.Text)
	}
}
