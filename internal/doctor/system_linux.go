package doctor

import (
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"
)

func userOf(info fs.FileInfo) int {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(st.Uid)
	}
	return -1
}

// systems are the file systems that are known by the number that statfs(2) gives.
var systems = map[int64]struct {
	name     string
	remote   bool
	fleeting string
}{
	unix.EXT4_SUPER_MAGIC:      {name: "ext4"},
	unix.XFS_SUPER_MAGIC:       {name: "xfs"},
	unix.BTRFS_SUPER_MAGIC:     {name: "btrfs"},
	unix.F2FS_SUPER_MAGIC:      {name: "f2fs"},
	0x2fc12fc1:                 {name: "zfs"},
	unix.NFS_SUPER_MAGIC:       {name: "NFS", remote: true},
	unix.SMB_SUPER_MAGIC:       {name: "SMB", remote: true},
	unix.CIFS_SUPER_MAGIC:      {name: "SMB (CIFS)", remote: true},
	unix.SMB2_SUPER_MAGIC:      {name: "SMB", remote: true},
	unix.CEPH_SUPER_MAGIC:      {name: "Ceph", remote: true},
	unix.AFS_SUPER_MAGIC:       {name: "AFS", remote: true},
	unix.V9FS_MAGIC:            {name: "9p", remote: true},
	unix.FUSE_SUPER_MAGIC:      {name: "FUSE, which may be on another machine", remote: true},
	unix.OVERLAYFS_SUPER_MAGIC: {name: "overlay", fleeting: "in a container it goes away with it, so mount a volume there"},
	unix.TMPFS_MAGIC:           {name: "tmpfs", fleeting: "it is in memory, and the log is gone after a restart of the host"},
	unix.RAMFS_MAGIC:           {name: "ramfs", fleeting: "it is in memory, and the log is gone after a restart of the host"},
}

// disk reads what there is to know of the disk under a folder.
func disk(dir string, f *Folder) {
	var st unix.Statfs_t
	if f.FreeErr = unix.Statfs(dir, &st); f.FreeErr != nil {
		return
	}
	f.Free = int64(st.Bavail) * int64(st.Bsize)
	s := systems[int64(uint32(st.Type))] // the type is signed on some architectures
	f.System, f.Remote, f.Fleeting = s.name, s.remote, s.fleeting
}

// clock asks the kernel, which whoever keeps the clock right tells so (adjtimex(2)).
func clock() Sync {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil { // with no modes it changes nothing and needs no rights
		return Sync{Unknown: err.Error()}
	}
	return Sync{Synced: t.Status&unix.STA_UNSYNC == 0}
}
