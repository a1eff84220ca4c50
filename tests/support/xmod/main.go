// What golang.org/x/mod says of a published log: its own notes, its own tiles, its own proofs.
//
// Usage: main FOLDER|URL VKEY RECEIPT ENTRY. Prints one line and exits 0 when everything holds.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// read returns a published file, from a folder or below a URL.
func read(place, path string) ([]byte, error) {
	if !strings.HasPrefix(place, "http://") {
		return os.ReadFile(filepath.Join(place, path))
	}
	answer, err := http.Get(place + "/" + path)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", path, answer.Status)
	}
	return io.ReadAll(answer.Body)
}

// folder reads tiles where C2SP puts them: without the height that the checksum database has in its paths.
type folder string

func (f folder) Height() int { return 8 }

func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	found := make([][]byte, len(tiles))
	for i, tile := range tiles {
		path := "tile/" + strings.TrimPrefix(tile.Path(), "tile/8/")
		data, err := read(string(f), path)
		if err != nil {
			return nil, err
		}
		found[i] = data
	}
	return found, nil
}

func (f folder) SaveTiles(tiles []tlog.Tile, data [][]byte) {}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// open returns the tree that a signed checkpoint states.
func open(data []byte, vkey string) tlog.Tree {
	verifier, err := note.NewVerifier(vkey)
	must(err)
	opened, err := note.Open(data, note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root, err := tlog.ParseHash(lines[2])
	must(err)
	return tlog.Tree{N: size, Hash: root}
}

// checkReceipt opens a .tlog-proof and checks its proof for the entry.
func checkReceipt(receipt, entry []byte, vkey string) int64 {
	head, checkpoint, _ := bytes.Cut(receipt, []byte("\n\n"))
	tree := open(checkpoint, vkey)
	lines := strings.Split(string(head), "\n")
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[1], "index "), 10, 64)
	must(err)
	var proof tlog.RecordProof
	for _, line := range lines[2:] {
		hash, err := tlog.ParseHash(line)
		must(err)
		proof = append(proof, hash)
	}
	must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)))
	return index
}

func main() {
	place, vkey := os.Args[1], os.Args[2]
	data, err := read(place, "checkpoint")
	must(err)
	tree := open(data, vkey)
	// The reader checks every tile that it uses against the tree's hash.
	reader := tlog.TileHashReader(tree, folder(place))
	hash, err := tlog.TreeHash(tree.N, reader)
	must(err)
	if hash != tree.Hash {
		must(fmt.Errorf("the tiles lead to %v, the checkpoint says %v", hash, tree.Hash))
	}
	for index := int64(0); index < tree.N; index++ {
		leaves, err := reader.ReadHashes([]int64{tlog.StoredHashIndex(0, index)})
		must(err)
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		must(err)
		must(tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaves[0]))
	}
	for old := int64(1); old < tree.N; old += 37 {
		then, err := tlog.TreeHash(old, reader)
		must(err)
		proof, err := tlog.ProveTree(tree.N, old, reader)
		must(err)
		must(tlog.CheckTree(proof, tree.N, tree.Hash, old, then))
	}
	receipt, err := os.ReadFile(os.Args[3])
	must(err)
	entry, err := os.ReadFile(os.Args[4])
	must(err)
	fmt.Printf("%d entries, receipt of %d\n", tree.N, checkReceipt(receipt, entry, vkey))
}
