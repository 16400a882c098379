import { useEffect, useRef } from "react";

export type Act = "allow" | "decline" | "defer";
export type Chosen = { purpose: string; act: Act; standing: string; choice: string };

export interface AssentNoticeProps {
  /** The address of your assent, as `https://privacy.example`. */
  server: string;
  /** A fresh subject token from your own server; elements of one page share it. */
  token: string;
  mode?: "ask" | "panel" | "control" | "marker" | "lock";
  purpose?: string;
  campaign?: string;
  conversation?: string;
  locale?: string;
  client?: string;
  onChoice?: (chosen: Chosen) => void;
  onClosed?: (closed: { how: string }) => void;
  /** Status 401 or 403: get a fresh token and set it. */
  onFailed?: (failed: { status: number }) => void;
}

/** `<assent-notice>` in React: attributes in, events out. Load the module once, as in `notice-plain.html`. */
export function AssentNotice({ onChoice, onClosed, onFailed, ...attributes }: AssentNoticeProps) {
  const element = useRef<HTMLElement>(null);
  useEffect(() => {
    const heard = { "assent-choice": onChoice, "assent-closed": onClosed, "assent-failed": onFailed };
    const stop = new AbortController();
    for (const [name, tell] of Object.entries(heard) as [string, ((detail: unknown) => void) | undefined][])
      element.current?.addEventListener(name, (event) => tell?.((event as CustomEvent).detail), stop);
    return () => stop.abort();
  }, [onChoice, onClosed, onFailed]);
  return <assent-notice ref={element} {...attributes} />;
}

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "assent-notice": React.DetailedHTMLProps<React.HTMLAttributes<HTMLElement>, HTMLElement> &
        Omit<AssentNoticeProps, "onChoice" | "onClosed" | "onFailed">;
    }
  }
}
