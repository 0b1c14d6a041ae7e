// Package deploy is what operators install: units, an image, rules and a dashboard. It has
// no code; README.md says what each file is for, and which was tried.
//
// # What it guarantees
//
//   - The rules and the dashboard ask for metrics that a recorder serves
//     (TestTheRulesAskForWhatIsServed, TestTheDashboardAsksForWhatIsServed), and each rule
//     fires, and does not, as its test says (TestTheRulesFireAsTheirTestsSay).
//   - The units are such as systemd takes (TestTheUnits), and the program of the image needs
//     nothing but itself (TestTheImage, TestTheProgramNeedsNothingButItself).
//   - The property list is one (TestThePropertyListIsXML).
package deploy
