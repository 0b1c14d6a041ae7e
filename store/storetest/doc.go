// Package storetest says in sentences what a store.Log does, and holds any
// implementation to them: run it from the test of the implementation. The log on
// disk and the one in memory both pass it (TestTheLogOnDiskKeepsTheContract in
// store, TestTheLogInMemoryKeepsTheContract in store).
//
// Next, Fill and HeadOf make records for the tests of whatever needs a log. It is
// imported by tests only (TestEveryPackageImportsWhatItMay in internal/archtest).
package storetest
