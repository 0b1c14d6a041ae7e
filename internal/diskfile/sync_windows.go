package diskfile

// SyncDir does nothing: a folder cannot be synced here, and its file system writes names
// to a journal of its own.
func SyncDir(string) error { return nil }
