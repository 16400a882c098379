// Command ledgercheck verifies a published ledger (spec/ledger.md) with code that assent's authors did not write:
// golang.org/x/mod/sumdb/{note,tlog} and the standard library's signatures. What is ours here only reads files
// under the paths of C2SP tlog-tiles and hands their bytes over.
//
//	ledgercheck verify   [-older FILE] LOG VKEY...   check the signature, every leaf, every earlier size
//	ledgercheck open     VKEY... <note        print the text if each key signed it
//	ledgercheck cosigned VKEY... <note        print when each witness cosigned it
//	ledgercheck sign     KEYFILE <text        print a signed note
//	ledgercheck keygen   NAME                 print a new private and public key
//	ledgercheck proofs   <lines               check proofs given as hex
//
// Exit status: 0 it holds, 1 it does not or cannot be read (the reason is on standard error), 2 wrong usage.
package main

import (
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		if errors.Is(err, errUsage) {
			os.Exit(2)
		}
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: ledgercheck verify|open|cosigned|sign|keygen|proofs ...")

func run(args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	command, args := args[0], args[1:]
	switch {
	case command == "verify":
		return verifyCommand(args)
	case command == "open" && len(args) > 0:
		return openCommand(args)
	case command == "cosigned" && len(args) > 0:
		return cosignedCommand(args)
	case command == "sign" && len(args) == 1:
		return signCommand(args[0])
	case command == "keygen" && len(args) == 1:
		secret, public, err := note.GenerateKey(rand.Reader, args[0])
		fmt.Printf("%s\n%s\n", secret, public)
		return err
	case command == "proofs" && len(args) == 0:
		return proofsCommand(os.Stdin)
	}
	return errUsage
}

func verifyCommand(args []string) error {
	flags := flag.NewFlagSet("verify", flag.ContinueOnError)
	older := flags.String("older", "", "a checkpoint `FILE` seen before; this one must continue it")
	if err := flags.Parse(args); err != nil || flags.NArg() < 2 {
		return errUsage
	}
	log, err := openLog(flags.Arg(0), flags.Args()[1:])
	if err != nil {
		return err
	}
	if *older != "" {
		if err := log.continues(*older); err != nil {
			return err
		}
	}
	entries, err := log.entries()
	if err != nil {
		return err
	}
	hashes, err := log.hashes()
	if err != nil {
		return err
	}
	if err := log.checkEveryLeaf(entries, hashes); err != nil {
		return err
	}
	if err := log.checkEveryPrefix(entries, hashes); err != nil {
		return err
	}
	fmt.Printf("ok: %s, %d leaves, %d prefixes\n", log.origin, len(entries), len(entries))
	return nil
}

func openCommand(vkeys []string) error {
	msg, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	opened, err := openNote(msg, vkeys)
	if err != nil {
		return err
	}
	if len(opened.Sigs) != len(vkeys) {
		return fmt.Errorf("%d of %d keys signed", len(opened.Sigs), len(vkeys))
	}
	fmt.Print(opened.Text)
	return nil
}

func signCommand(file string) error {
	key, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(strings.TrimSpace(string(key)))
	if err != nil {
		return err
	}
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	signed, err := note.Sign(&note.Note{Text: string(text)}, signer)
	if err != nil {
		return err
	}
	_, err = os.Stdout.Write(signed)
	return err
}

// openNote gives the note if any of the keys signed it and none of them wrongly.
func openNote(msg []byte, vkeys []string) (*note.Note, error) {
	var verifiers []note.Verifier
	for _, vkey := range vkeys {
		verifier, err := note.NewVerifier(vkey)
		if err != nil {
			return nil, err
		}
		verifiers = append(verifiers, verifier)
	}
	return note.Open(msg, note.VerifierList(verifiers...))
}
