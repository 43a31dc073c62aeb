package shout

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/ocwatch/ocwatch/internal/secret"
	"github.com/ocwatch/ocwatch/notify"
)

// The addresses of the tests. Every secret part of them holds "s3cr3t" or
// "S3CR3T", which nothing that is shown may.
const (
	telegramURL  = "telegram://123456789:AAs3cr3tTelegramToken@telegram?chats=42"
	slackHookURL = "slack://hook:T00S3CR3T-B00S3CR3T-s3cr3tSlackHookToken00000@webhook"
	slackBotURL  = "slack://xoxb:123S3CR3T456-123S3CR3T456-s3cr3tSlackBotToken000000@C0123456789"
	discordURL   = "discord://s3cr3tDiscordToken@987654321"
	ntfyURL      = "ntfy://alice:s3cr3tNtfyPassword@ntfy.sh/s3cr3t-topic"
	larkURL      = "lark://open.feishu.cn/s3cr3t-lark-token?secret=s3cr3tLarkSecret"
	wecomURL     = "wecom://s3cr3t-wecom-key"
)

func httpURLs() map[string]string {
	return map[string]string{
		"telegram": telegramURL, "slack webhook": slackHookURL, "slack bot": slackBotURL, "discord": discordURL,
		"ntfy": ntfyURL, "lark": larkURL, "wecom": wecomURL,
	}
}

// apiHosts are where the services' requests go.
var apiHosts = []string{
	"api.telegram.org", "hooks.slack.com", "slack.com", "discord.com", "ntfy.sh",
	"open.feishu.cn", "open.larksuite.com", "qyapi.weixin.qq.com", "mail.example.com",
}

// certificate is one for all of them and for this machine, with the pool that
// trusts it.
var certificate = sync.OnceValues(func() (tls.Certificate, *x509.CertPool) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: apiHosts, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, &template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
})

// heard is a request that reached a chatServer.
type heard struct {
	host, path string
	header     http.Header
	body       map[string]any
}

// chatServer plays the chat services on 127.0.0.1. They are asked as in earnest:
// at their own addresses, by TLS with their names in the certificate. Only where
// the connection goes is changed, in the transport of the sender under test.
type chatServer struct {
	wires
	answer http.HandlerFunc
	mu     sync.Mutex
	got    []heard
}

func newChatServer(t *testing.T, answer http.HandlerFunc) *chatServer {
	t.Helper()
	r := &chatServer{answer: answer}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		data, err := io.ReadAll(req.Body)
		h := heard{host: req.Host, path: req.URL.RequestURI(), header: req.Header}
		if err == nil {
			err = json.Unmarshal(data, &h.body)
		}
		if err != nil {
			t.Errorf("the body is not JSON: %v: %q", err, data)
		}
		r.mu.Lock()
		r.got = append(r.got, h)
		r.mu.Unlock()
		r.answer(w, req)
	}))
	cert, pool := certificate()
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // clients that break off
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	t.Cleanup(server.Close)
	r.wires = wires{client: wired(t, pool, server.Listener.Addr().String()), roots: pool}
	return r
}

// wired is a client whose connections all go to one address.
func wired(t *testing.T, pool *x509.CertPool, address string) *http.Client {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func (r *chatServer) requests() []heard {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]heard(nil), r.got...)
}

// answering says the same to every request.
func answering(status int, header map[string]string, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for key, value := range header {
			w.Header().Set(key, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func mustNew(t *testing.T, address string, w wires) *sender {
	t.Helper()
	s, err := newSender(secret.New(address), w)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func send(t *testing.T, s notify.Sender, text string) notify.Answer {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return s.Send(ctx, notify.Outgoing{ID: "msg_1", Body: []byte(text)})
}

// quietTLS is a server that nobody trusts.
func quietTLS(t *testing.T) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(http.NotFoundHandler())
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}
