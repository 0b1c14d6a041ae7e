// Package python is what a Python program uses of ibrecorder: ibrecorder.py, one file
// without a dependency, and an example of a worker process. It has no Go of its own but
// the test, which runs those of unittest against a recorder that it builds.
//
// # What it guarantees
//
// What the head of ibrecorder.py promises. README.md beside it names the test of each;
// all of them are run by TestPython.
//
// # What it refuses to do
//
// It is no library of IB's protocol, and carries none: ib_async, ib_insync or any other
// connects. It is no replacement for the recorder's port either, which sees what no
// program can say.
package python
