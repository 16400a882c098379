package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8 // a full tile of C2SP tlog-tiles holds 2**8 hashes
	width  = 1 << height
)

// A log is a folder with a checkpoint, tiles and entry bundles, whose checkpoint's signature was verified.
type log struct {
	folder string
	origin string
	vkeys  []string
	tree   tlog.Tree
	tiles  *tileFolder
}

func openLog(folder string, vkeys []string) (*log, error) {
	origin, tree, err := readCheckpoint(filepath.Join(folder, "checkpoint"), vkeys)
	if err != nil {
		return nil, err
	}
	return &log{folder, origin, vkeys, tree, &tileFolder{folder: folder, read: map[string][]byte{}}}, nil
}

// readCheckpoint opens the note with the stock code. Its text is the tree description of the Go checksum
// database but for the first line, which there is fixed and in C2SP names the log.
func readCheckpoint(file string, vkeys []string) (origin string, tree tlog.Tree, err error) {
	msg, err := os.ReadFile(file)
	if err != nil {
		return "", tree, err
	}
	opened, err := openNote(msg, vkeys)
	if err != nil {
		return "", tree, err
	}
	origin, rest, _ := strings.Cut(opened.Text, "\n")
	for _, signature := range opened.Sigs {
		if signature.Name != origin {
			return "", tree, fmt.Errorf("the key of %q signed a checkpoint of %q", signature.Name, origin)
		}
	}
	tree, err = tlog.ParseTree([]byte("go.sum database tree\n" + rest))
	return origin, tree, err
}

// continues checks the log against a checkpoint seen before: not smaller, and the same beginning.
func (l *log) continues(file string) error {
	_, old, err := readCheckpoint(file, l.vkeys)
	if err != nil {
		return err
	}
	switch {
	case l.tree.N < old.N:
		return fmt.Errorf("stale: the checkpoint is of size %d, size %d was seen before", l.tree.N, old.N)
	case l.tree.N == old.N && l.tree.Hash != old.Hash:
		return fmt.Errorf("fork: two roots at size %d", old.N)
	case l.tree.N == old.N || old.N == 0:
		return nil
	}
	proof, err := tlog.ProveTree(l.tree.N, old.N, tlog.TileHashReader(l.tree, l.tiles))
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, l.tree.N, l.tree.Hash, old.N, old.Hash); err != nil {
		return fmt.Errorf("fork: size %d does not continue size %d: %w", l.tree.N, old.N, err)
	}
	return nil
}

// entries reads every entry from the bundles.
func (l *log) entries() ([][]byte, error) {
	var entries [][]byte
	for n := int64(0); n*width < l.tree.N; n++ {
		w := int(min(width, l.tree.N-n*width))
		data, err := os.ReadFile(filepath.Join(l.folder, tilePath("entries", n, w)))
		if err != nil {
			return nil, err
		}
		for range w {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("entry bundle %d is cut off", n)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			entries = append(entries, data[2:end])
			data = data[end:]
		}
		if len(data) > 0 {
			return nil, fmt.Errorf("entry bundle %d is too long", n)
		}
	}
	return entries, nil
}

// hashes reads every hash of the tree through the stock tlog.TileHashReader, which gives none that does not lead to
// the signed root.
func (l *log) hashes() (tlog.HashReader, error) {
	const atOnce = 4096
	reader := tlog.TileHashReader(l.tree, l.tiles)
	var stored []tlog.Hash
	for count := tlog.StoredHashIndex(0, l.tree.N); int64(len(stored)) < count; {
		var indexes []int64
		for index := int64(len(stored)); index < min(count, int64(len(stored))+atOnce); index++ {
			indexes = append(indexes, index)
		}
		hashes, err := reader.ReadHashes(indexes)
		if err != nil {
			return nil, err
		}
		stored = append(stored, hashes...)
	}
	return inMemory(&stored), nil
}

// checkEveryLeaf proves and checks that entry i is leaf i, for every i.
func (l *log) checkEveryLeaf(entries [][]byte, hashes tlog.HashReader) error {
	for i, entry := range entries {
		proof, err := tlog.ProveRecord(l.tree.N, int64(i), hashes)
		if err == nil {
			err = tlog.CheckRecord(proof, l.tree.N, l.tree.Hash, int64(i), tlog.RecordHash(entry))
		}
		if err != nil {
			return fmt.Errorf("leaf %d: %w", i, err)
		}
	}
	return nil
}

// checkEveryPrefix proves and checks that the tree of each smaller size, hashed from the entries alone, begins the tree.
func (l *log) checkEveryPrefix(entries [][]byte, hashes tlog.HashReader) error {
	var stored []tlog.Hash
	fromEntries := inMemory(&stored)
	for i, entry := range entries {
		added, err := tlog.StoredHashes(int64(i), entry, fromEntries)
		if err != nil {
			return err
		}
		stored = append(stored, added...)
		size := int64(i) + 1
		old, err := tlog.TreeHash(size, fromEntries)
		if err != nil {
			return err
		}
		proof, err := tlog.ProveTree(l.tree.N, size, hashes)
		if err == nil {
			err = tlog.CheckTree(proof, l.tree.N, l.tree.Hash, size, old)
		}
		if err != nil {
			return fmt.Errorf("prefix %d: %w", size, err)
		}
	}
	return nil
}

func inMemory(stored *[]tlog.Hash) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			hashes[i] = (*stored)[index]
		}
		return hashes, nil
	})
}

// A tileFolder reads tiles under their C2SP paths; tlog.TileHashReader checks each against the tree.
type tileFolder struct {
	folder string
	read   map[string][]byte
}

func (f *tileFolder) Height() int { return height }

func (f *tileFolder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	all := make([][]byte, len(tiles))
	for i, tile := range tiles {
		path := tilePath(strconv.Itoa(tile.L), tile.N, tile.W)
		data, ok := f.read[path]
		if !ok {
			var err error
			if data, err = os.ReadFile(filepath.Join(f.folder, path)); err != nil {
				return nil, err
			}
			f.read[path] = data
		}
		if len(data) != tile.W*tlog.HashSize {
			return nil, fmt.Errorf("%s has %d bytes", path, len(data))
		}
		all[i] = data
	}
	return all, nil
}

func (f *tileFolder) SaveTiles([]tlog.Tile, [][]byte) {}

// tilePath is tlog.Tile.Path without the height, which C2SP fixes, and with "entries" for its "data".
func tilePath(level string, n int64, w int) string {
	number := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		number = fmt.Sprintf("x%03d/%s", n%1000, number)
	}
	path := "tile/" + level + "/" + number
	if w < width {
		path += ".p/" + strconv.Itoa(w)
	}
	return filepath.FromSlash(path)
}
