// Package notice is what people are told: the words, and what a receiver needs to put
// them into order. It is values alone; who is told, and how, is elsewhere.
package notice
