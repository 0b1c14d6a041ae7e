// Package notice is what people are told: the words, and what a receiver needs to put
// them into order. It is values alone; who is told, and how, is elsewhere.
//
// The first line is enough for a lock screen; below it stand since when, why, who is
// affected, what to do, and how to make it stop (TestTexts). The same events make the
// same notice, on any host.
package notice
