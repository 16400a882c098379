package main

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"crypto/mldsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"
)

// proofsCommand checks proofs that assent made, one a line:
//
//	inclusion   INDEX SIZE LEAF ROOT HASH...
//	consistency OLD NEW OLDROOT NEWROOT HASH...
func proofsCommand(lines io.Reader) error {
	scanner := bufio.NewScanner(lines)
	count := 0
	for scanner.Scan() {
		if err := checkProofLine(strings.Fields(scanner.Text())); err != nil {
			return fmt.Errorf("line %d: %w", count+1, err)
		}
		count++
	}
	fmt.Printf("ok: %d proofs\n", count)
	return scanner.Err()
}

func checkProofLine(fields []string) error {
	if len(fields) < 5 {
		return errUsage
	}
	first, err1 := strconv.ParseInt(fields[1], 10, 64)
	second, err2 := strconv.ParseInt(fields[2], 10, 64)
	hashes := make([]tlog.Hash, len(fields)-3)
	for i, field := range fields[3:] {
		data, err := hex.DecodeString(field)
		if err != nil || copy(hashes[i][:], data) != tlog.HashSize {
			return errors.New("not a hash")
		}
	}
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	switch fields[0] {
	case "inclusion":
		return tlog.CheckRecord(tlog.RecordProof(hashes[2:]), second, hashes[1], first, hashes[0])
	case "consistency":
		return tlog.CheckTree(tlog.TreeProof(hashes[2:]), second, hashes[1], first, hashes[0])
	}
	return errUsage
}

// cosignedCommand checks cosignatures (C2SP tlog-cosignature) with the standard library. Go's note package reads
// Ed25519 signatures only, so the signed message is put together here, from the text of that specification.
func cosignedCommand(vkeys []string) error {
	msg, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	split := bytes.LastIndex(msg, []byte("\n\n"))
	if split < 0 {
		return errors.New("not a note")
	}
	text, lines := string(msg[:split+1]), strings.Split(string(msg[split+2:]), "\n")
	for _, vkey := range vkeys {
		at, err := cosignedAt(text, lines, vkey)
		if err != nil {
			return err
		}
		fmt.Println(at)
	}
	return nil
}

func cosignedAt(text string, lines []string, vkey string) (uint64, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return 0, errors.New("not a vkey")
	}
	name := parts[0]
	key, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil {
		return 0, err
	}
	id := sha256.Sum256(append([]byte(name+"\n"), key...))
	if hex.EncodeToString(id[:4]) != parts[1] {
		return 0, errors.New("the key id is not that of the key")
	}
	for _, line := range lines {
		encoded, ok := strings.CutPrefix(line, "— "+name+" ")
		if !ok {
			continue
		}
		blob, err := base64.StdEncoding.Strict().DecodeString(encoded)
		if err != nil || len(blob) < 12 || !bytes.Equal(blob[:4], id[:4]) {
			continue
		}
		at := binary.BigEndian.Uint64(blob[4:12])
		return at, checkCosignature(name, text, key, at, blob[12:])
	}
	return 0, fmt.Errorf("%s did not cosign", name)
}

func checkCosignature(name, text string, key []byte, at uint64, signature []byte) error {
	switch {
	case key[0] == 0x04 && len(key) == 1+ed25519.PublicKeySize:
		message := fmt.Sprintf("cosignature/v1\ntime %d\n%s", at, text)
		if !ed25519.Verify(key[1:], []byte(message), signature) {
			return errors.New("the cosignature does not hold")
		}
		return nil
	case key[0] == 0x06:
		public, err := mldsa.NewPublicKey(mldsa.MLDSA44(), key[1:])
		if err != nil {
			return err
		}
		lines := strings.Split(text, "\n")
		size, err := strconv.ParseUint(lines[1], 10, 63)
		if err != nil {
			return err
		}
		root, err := tlog.ParseHash(lines[2])
		if err != nil {
			return err
		}
		message := append([]byte("subtree/v1\n\x00"), byte(len(name)))
		message = append(message, name...)
		message = binary.BigEndian.AppendUint64(message, at)
		message = append(message, byte(len(lines[0])))
		message = append(message, lines[0]...)
		message = binary.BigEndian.AppendUint64(message, 0)
		message = binary.BigEndian.AppendUint64(message, size)
		message = append(message, root[:]...)
		return mldsa.Verify(public, message, signature, nil)
	}
	return errors.New("unknown key type")
}
