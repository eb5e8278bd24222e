import { Store, useStore } from "../live/store";

const SHOWN_MS = 1800;

const announcement = new Store("");
let clearing: ReturnType<typeof setTimeout> | undefined;

/** Say something briefly, to eyes and to screen readers. */
export function announce(text: string): void {
  announcement.set(text);
  clearTimeout(clearing);
  clearing = setTimeout(() => announcement.set(""), SHOWN_MS);
}

export function Announcements() {
  const text = useStore(announcement);
  return (
    <div class={text ? "toast shown" : "toast"} role="status" aria-live="polite">
      {text}
    </div>
  );
}

async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    announce(`Copied the ${what}`);
  } catch {
    announce("This browser does not allow copying here");
  }
}

export function CopyButton({ text, what }: { text: string; what: string }) {
  return (
    <button
      type="button"
      class="copy"
      aria-label={`Copy ${what} ${text}`}
      onClick={() => void copy(text, what)}
    >
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M5.5 5.5v-3h8v8h-3M2.5 5.5h8v8h-8z" />
      </svg>
    </button>
  );
}

/** A command to be run in a terminal. */
export function Command({ children }: { children: string }) {
  return (
    <span class="command">
      <code>{children}</code>
      <CopyButton text={children} what="command" />
    </span>
  );
}
