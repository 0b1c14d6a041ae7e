package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"ibrecorder/events"
	"ibrecorder/store"
	"ibrecorder/store/storetest"
)

// child runs this test binary as another process.
func child(t *testing.T, what, dir string, env ...string) *exec.Cmd {
	exe, err := os.Executable()
	must(t, err)
	cmd := exec.Command(exe)
	cmd.Env = append(append(os.Environ(), "STORE_TEST_CHILD="+what, "STORE_TEST_DIR="+dir), env...)
	cmd.Stderr = os.Stderr
	return cmd
}

// asChild is the other process. What it found out it prints.
func asChild(what, dir string) {
	do := map[string]func(*store.Store, *store.JetLog) error{
		"open": openOnly, "append": appendForEver, "consume": consumeForEver, "refused": appendToADiskThatRefuses,
	}[what]
	err := asUser(os.Getenv("STORE_TEST_UID"))
	if err == nil {
		err = withLog(dir, do)
	}
	if what == "open" {
		fmt.Println(err)
		os.Exit(0)
	}
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// asUser gives up the rights of root.
func asUser(uid string) error {
	if uid == "" {
		return nil
	}
	id, err := strconv.Atoi(uid)
	return errors.Join(err, syscall.Setgroups(nil), syscall.Setgid(id), syscall.Setuid(id))
}

func withLog(dir string, do func(*store.Store, *store.JetLog) error) error {
	s, err := store.Open(context.Background(), store.Config{Dir: dir, Timeout: time.Second})
	if err != nil {
		return err
	}
	l, err := s.Log(context.Background(), gw)
	if err != nil {
		return err
	}
	return do(s, l)
}

func openOnly(*store.Store, *store.JetLog) error { return nil }

// appendForEver prints the sequence and hash of every event that is on disk.
func appendForEver(_ *store.Store, l *store.JetLog) error {
	for {
		head, err := appendOne(l)
		if err == nil {
			fmt.Println(head.Seq, head.Hash)
			err = l.Mark(store.Mark{Gateway: gw, Seq: head.Seq, Hash: head.Hash}, false)
		}
		if err != nil {
			return err
		}
	}
}

func appendOne(l *store.JetLog) (store.Head, error) {
	head, err := l.Head(context.Background())
	if err != nil {
		return head, err
	}
	rec := storetest.Next(new(testing.T), gw, head, "note")
	return storetest.HeadOf(rec), l.Append(context.Background(), rec)
}

// consumeForEver prints the sequence of every event that it has handled.
func consumeForEver(_ *store.Store, l *store.JetLog) error {
	return l.Consume(context.Background(), "pager", nil, func(_ context.Context, rec events.Record) error {
		_, err := fmt.Println(rec.Seq)
		return err
	})
}

// appendToADiskThatRefuses appends until the kernel refuses to make the block
// longer, and then tries what an operator would see.
func appendToADiskThatRefuses(s *store.Store, l *store.JetLog) error {
	block := filepath.Join(msgsDir(os.Getenv("STORE_TEST_DIR")), "1.blk")
	for range 40 {
		head, err := appendOne(l)
		if err != nil {
			return err
		}
		fmt.Println(head.Seq, head.Hash)
	}
	info, err := os.Stat(block)
	if err != nil {
		return err
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	limit.Cur = uint64(info.Size()) + 1000 // in the middle of one of the next records
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	for err == nil {
		var head store.Head
		if head, err = appendOne(l); err == nil {
			fmt.Println(head.Seq, head.Hash)
		}
	}
	fmt.Println("append:", err)
	fmt.Println("server:", <-s.Err())
	limit.Cur = limit.Max
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		return err
	}
	_, err = appendOne(l)
	fmt.Println("with room:", errors.Is(err, store.ErrUnavailable) && errors.Is(err, store.ErrDisk))
	n := 0
	for _, err := range l.Read(context.Background(), 1, 0) {
		if err != nil {
			return err
		}
		n++
	}
	fmt.Println("readable:", n)
	return s.Close()
}
