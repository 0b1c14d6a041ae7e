//go:build !linux

package doctor

import (
	"errors"
	"io/fs"
)

// What these would read on macOS and Windows is not read: nobody has run it there.

func userOf(fs.FileInfo) int { return -1 }

func disk(_ string, f *Folder) { f.FreeErr = errors.New("not on this system") }

func clock() Sync { return Sync{Unknown: "not on this system"} }
