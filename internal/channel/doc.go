// Package channel brings a notice to people and programs: by Slack, Telegram, ntfy,
// PagerDuty, Alertmanager, mail, a webhook of anybody's, or a command.
//
// All of HTTP goes out through one Sender, and a Hook is what one receiver wants, as data:
// an address, what is sent, and which answer says that it was taken. When somebody is
// told, and what becomes of a failure, is the business of internal/alert.
package channel
