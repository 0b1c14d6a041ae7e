package channel_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ibrecorder/internal/channel"
)

// office is a post office: an SMTP server as RFC 5321 has it, as far as one that sends meets it. It
// takes mail from user alone, if it has one, and only over TLS.
type office struct {
	t        *testing.T
	ln       net.Listener
	tls      *tls.Config
	trust    *tls.Config
	implicit bool
	mechs    string // of AUTH
	// reply takes the place of the answer to a command, if it has one; "" breaks off.
	reply func(command string) (line string, instead bool)

	mu   sync.Mutex
	mail [][]byte
	said []string // commands that came in the clear
}

func openOffice(t *testing.T, implicit bool, mechs string, reply func(string) (string, bool)) *office {
	server := httptest.NewUnstartedServer(nil) // for its certificate
	server.StartTLS()
	pool := x509.NewCertPool()
	pool.AddCert(server.Certificate())
	config := &tls.Config{Certificates: server.TLS.Certificates}
	server.Close()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if implicit {
		ln = tls.NewListener(ln, config)
	}
	o := &office{t: t, ln: ln, tls: config, trust: &tls.Config{RootCAs: pool}, implicit: implicit, mechs: mechs, reply: reply}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			serving.Go(func() {
				defer conn.Close()
				o.serve(conn)
			})
		}
	})
	t.Cleanup(func() { ln.Close(); serving.Wait() })
	return o
}

func (o *office) serve(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	secure, in := o.implicit, bufio.NewReader(conn)
	answer := func(command, line string) bool {
		if o.reply != nil {
			if other, instead := o.reply(command); instead {
				line = other
			}
		}
		if line == "" {
			return false
		}
		_, err := io.WriteString(conn, line+"\r\n")
		return err == nil
	}
	if !answer("CONNECT", "220 office ESMTP") {
		return
	}
	authorized := false
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		if !secure {
			o.mu.Lock()
			o.said = append(o.said, line)
			o.mu.Unlock()
		}
		ok := true
		switch strings.ToUpper(verb) {
		case "EHLO":
			greeting := "250-office\r\n250-ENHANCEDSTATUSCODES\r\n"
			if secure {
				greeting += "250-AUTH " + o.mechs + "\r\n"
			} else {
				greeting += "250-STARTTLS\r\n250-AUTH " + o.mechs + "\r\n" // and would take a password in the clear
			}
			ok = answer("EHLO", greeting+"250 8BITMIME")
		case "STARTTLS":
			if ok = answer("STARTTLS", "220 go ahead"); !ok || secure {
				break
			}
			conn = tls.Server(conn, o.tls)
			in, secure = bufio.NewReader(conn), true
		case "AUTH":
			user, password := "", ""
			if initial, plain := strings.CutPrefix(rest, "PLAIN "); plain {
				b, _ := base64.StdEncoding.DecodeString(initial)
				if parts := strings.Split(string(b), "\x00"); len(parts) == 3 {
					user, password = parts[1], parts[2]
				}
			} else {
				for _, into := range []*string{&user, &password} {
					io.WriteString(conn, "334 VXNlcg==\r\n")
					line, err := in.ReadString('\n')
					if err != nil {
						return
					}
					b, _ := base64.StdEncoding.DecodeString(strings.TrimSpace(line))
					*into = string(b)
				}
			}
			if authorized = user == "rec" && password == mailSecret; authorized {
				ok = answer("AUTH", "235 2.7.0 welcome")
			} else {
				ok = answer("AUTH", "535 5.7.8 no: "+password)
			}
		case "MAIL":
			ok = answer("MAIL", map[bool]string{true: "250 ok", false: "530 5.7.0 who are you"}[authorized])
		case "RCPT":
			ok = answer("RCPT", "250 ok")
		case "DATA":
			if o.reply != nil {
				if _, refused := o.reply("DATA"); refused {
					ok = answer("DATA", "")
					break
				}
			}
			answer("DATA", "354 go on")
			var b bytes.Buffer
			for {
				line, err := in.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				b.WriteString(strings.TrimPrefix(line, "."))
			}
			if err := checkMail(b.Bytes()); err != nil {
				ok = answer("DOT", "554 5.6.0 refused: "+err.Error())
				break
			}
			o.mu.Lock()
			o.mail = append(o.mail, b.Bytes())
			o.mu.Unlock()
			ok = answer("DOT", "250 2.0.0 taken")
		case "QUIT":
			answer("QUIT", "221 bye")
			return
		default:
			ok = answer(verb, "250 ok")
		}
		if !ok {
			return
		}
	}
}

// taken is the mail that came.
func (o *office) taken() [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.mail)
}

// clear is what came before TLS.
func (o *office) clear() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.said, " ")
}

// channel is one that writes here.
func (o *office) channel(password string) *channel.Mail {
	c := channel.MailConfig{Name: "mail", Server: o.ln.Addr().String(), From: "IB recorder <recorder@example.org>", To: "anna@example.org, bo@example.org", User: "rec", Password: password}
	if o.implicit {
		c.TLS = channel.Implicit
	}
	m, err := channel.NewMail(c)
	if err != nil {
		o.t.Fatal(err)
	}
	return m.Set(o.trust, 5*time.Second)
}

var messageID = regexp.MustCompile(`^<[A-Za-z0-9._/-]+@example\.org>$`)

// checkMail is RFC 5322 as far as a server or a reader stumbles over it.
func checkMail(b []byte) error {
	for line := range bytes.Lines(b) {
		if !bytes.HasSuffix(line, []byte("\r\n")) || len(line) > 1000 || bytes.IndexFunc(line, func(r rune) bool { return r > 126 }) >= 0 {
			return fmt.Errorf("line %q", line)
		}
	}
	m, err := netmail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		return err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil || subject == "" {
		return fmt.Errorf("subject %q: %v", subject, err)
	}
	if _, err := m.Header.Date(); err != nil {
		return err
	}
	if id, to := m.Header.Get("Message-ID"), m.Header.Get("In-Reply-To"); !messageID.MatchString(id) || to != "" && !messageID.MatchString(to) {
		return fmt.Errorf("message id %q, in reply to %q", id, to)
	}
	if typ, params, err := mime.ParseMediaType(m.Header.Get("Content-Type")); err != nil || typ != "text/plain" || !strings.EqualFold(params["charset"], "utf-8") {
		return fmt.Errorf("content type %q %v: %v", typ, params, err)
	}
	if enc := m.Header.Get("Content-Transfer-Encoding"); enc != "quoted-printable" {
		return fmt.Errorf("encoding %q", enc)
	}
	_, err = io.ReadAll(quotedprintable.NewReader(m.Body))
	return err
}

func TestMailIsTaken(t *testing.T) {
	for _, c := range []struct {
		name     string
		implicit bool
		mechs    string
	}{
		{"STARTTLS and PLAIN", false, "PLAIN LOGIN"}, {"STARTTLS and LOGIN", false, "LOGIN"}, {"TLS from the first byte", true, "PLAIN"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := openOffice(t, c.implicit, c.mechs, nil)
			for range 2 { // it is told again: the same message
				if err := o.channel(mailSecret).Tell(t.Context(), stop(t)); err != nil {
					t.Fatal(err)
				}
			}
			if mail := o.taken(); len(mail) != 2 || !bytes.Equal(mail[0], mail[1]) {
				t.Errorf("%d messages:\n%s", len(mail), bytes.Join(mail, nil))
			}
			if clear := o.clear(); strings.Contains(clear, "AUTH") || strings.Contains(clear, "MAIL") {
				t.Errorf("in the clear: %s", clear)
			}
		})
	}
}

func TestMailAgainstServersThatMisbehave(t *testing.T) {
	at := func(command, line string) func(string) (string, bool) {
		return func(c string) (string, bool) { return line, c == command }
	}
	for _, c := range []struct {
		name     string
		reply    func(string) (string, bool)
		password string
		status   int
		final    bool
		text     string // in the error
		taken    bool
	}{
		{"it breaks off at once", at("CONNECT", ""), mailSecret, 0, false, "EOF", false},
		{"it is busy", at("CONNECT", "421 4.3.2 later"), mailSecret, 421, false, "later", false},
		{"it speaks something else", at("CONNECT", "HTTP/1.1 400 Bad Request"), mailSecret, 0, false, "", false},
		{"a line without an end", at("CONNECT", strings.Repeat("x", 2<<20)), mailSecret, 0, false, "more than 1048576 bytes", false},
		{"it has no TLS", at("EHLO", "250-office\r\n250 AUTH PLAIN"), mailSecret, 0, false, "STARTTLS", false},
		{"it does not want TLS", at("STARTTLS", "454 4.7.0 not now"), mailSecret, 454, false, "not now", false},
		{"a wrong password, which it repeats", nil, "wrong horse 42 battery", 535, true, "no: ***", false},
		{"it does not know the sender", at("MAIL", "550 5.1.8 nobody"), mailSecret, 550, true, "nobody", false},
		{"it does not know a recipient", at("RCPT", "550 5.1.1 no such user"), mailSecret, 550, true, "no such user", false},
		{"it wants to see it twice", at("RCPT", "451 4.7.1 greylisted"), mailSecret, 451, false, "greylisted", false},
		{"it takes no data", at("DATA", "452 4.3.1 full"), mailSecret, 452, false, "full", false},
		{"it does not like it", at("DOT", "554 5.7.1 spam"), mailSecret, 554, true, "spam", false},
		{"it breaks off before it says so", at("DOT", ""), mailSecret, 0, false, "EOF", false},
		{"it has taken it, and says goodbye badly", at("QUIT", ""), mailSecret, 0, false, "", true},
		{"it has taken it, and resets badly", at("RSET", "500 what"), mailSecret, 0, false, "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t, false, "PLAIN LOGIN", c.reply)
			err := o.channel(c.password).Tell(t.Context(), stop(t))
			if c.taken {
				if err != nil || len(o.taken()) != 1 {
					t.Errorf("%v, %d messages", err, len(o.taken()))
				}
				return
			}
			e, ok := errors.AsType[*channel.TellError](err)
			if !ok || e.Status != c.status || e.Final != c.final || !strings.Contains(err.Error(), c.text) || e.To != "127.0.0.1" {
				t.Fatalf("%+v, want status %d, final %t, %q", e, c.status, c.final, c.text)
			}
			harmless(t, err.Error(), []string{c.password, base64.StdEncoding.EncodeToString([]byte("\x00rec\x00" + c.password))})
		})
	}
}

func TestMailEndsInTime(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0") // accepted by the system, and never answered
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	m, err := channel.NewMail(channel.MailConfig{Name: "mail", Server: ln.Addr().String(), From: "a@example.org", To: "b@example.org"})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	err = m.Set(nil, 200*time.Millisecond).Tell(t.Context(), stop(t))
	if err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("%v after %s", err, time.Since(began))
	}
	run, end := context.WithCancel(t.Context())
	end()
	if err := m.Tell(run, stop(t)); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of the run: %v", err)
	}
}

func TestACertificateForAnotherMailServerIsRefused(t *testing.T) {
	o := openOffice(t, true, "PLAIN", nil)
	m := o.channel(mailSecret).Set(nil, 5*time.Second)
	if err := m.Tell(t.Context(), stop(t)); err == nil || !strings.Contains(err.Error(), "certificate") || len(o.taken()) != 0 {
		t.Errorf("%v", err)
	}
}
