package httpapi

import (
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestTheDocumentNamesEveryStatus: the table of docs/http.md against the classes as they
// are written in the source.
func TestTheDocumentNamesEveryStatus(t *testing.T) {
	source, err := os.ReadFile("problem.go")
	if err != nil {
		t.Fatal(err)
	}
	document, err := os.ReadFile("../../docs/http.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([0-9, ]+) \|`).FindAllStringSubmatch(string(document), -1) {
		for _, code := range strings.Split(row[1], ", ") {
			named[code] = true
		}
	}
	classes := regexp.MustCompile(`Problem\{Type: .*Status: http\.Status(\w+)\}`).FindAllStringSubmatch(string(source), -1)
	if len(classes) < 15 {
		t.Fatalf("%d classes are found", len(classes))
	}
	for _, class := range classes {
		code := 0
		for c := 400; c < 600; c++ {
			if strings.ReplaceAll(http.StatusText(c), " ", "") == class[1] {
				code = c
			}
		}
		if code == 0 || !named[strconv.Itoa(code)] {
			t.Errorf("docs/http.md has no row for %d, %s", code, class[1])
		}
	}
}
