import { useEffect, useState } from "preact/hooks";
import { useStore } from "../live/store";
import { place, type RouteName } from "../router";

interface Item {
  to: string;
  text: string;
  names: readonly RouteName[];
}

const GROUPS: readonly { title: string; items: readonly Item[] }[] = [
  {
    title: "Network",
    items: [
      { to: "/", text: "Overview", names: ["overview"] },
      { to: "/tasks", text: "Tasks", names: ["tasks", "task"] },
      { to: "/runners", text: "Runners", names: ["runners", "runner"] },
      { to: "/audits", text: "Audits", names: ["audits"] },
      { to: "/models", text: "Models", names: ["models"] },
      { to: "/sessions", text: "Learning", names: ["sessions", "session"] },
    ],
  },
  {
    title: "Money and rules",
    items: [
      { to: "/billing", text: "Billing", names: ["billing"] },
      { to: "/channels", text: "Channels", names: ["channels"] },
      { to: "/proposals", text: "Proposals", names: ["proposals", "proposal"] },
    ],
  },
  {
    title: "You",
    items: [
      { to: "/submit", text: "Submit a prompt", names: ["submit"] },
      { to: "/wallet", text: "Wallet", names: ["wallet"] },
    ],
  },
  { title: "This server", items: [{ to: "/system", text: "Status", names: ["system"] }] },
];

export function Navigation() {
  const { name, path } = useStore(place);
  const [open, setOpen] = useState(false);
  useEffect(() => setOpen(false), [path]);
  useEffect(() => {
    const close = (event: KeyboardEvent) => event.key === "Escape" && setOpen(false);
    document.addEventListener("keydown", close);
    return () => document.removeEventListener("keydown", close);
  }, []);
  return (
    <nav class={open ? "sidebar open" : "sidebar"} aria-label="Pages">
      <div class="brand-row">
        <a class="brand" href="/">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <path d="M5 11h22M5 21h22" />
            <circle cx="11" cy="11" r="3.6" />
            <circle cx="21" cy="21" r="3.6" />
          </svg>
          Parity
        </a>
        <button
          type="button"
          class="button menu-button"
          aria-expanded={open}
          aria-controls="navigation"
          onClick={() => setOpen(!open)}
        >
          Menu
        </button>
      </div>
      <div id="navigation" class="pages">
        {GROUPS.map((group) => (
          <div class="nav-group" key={group.title}>
            <p class="nav-title">{group.title}</p>
            <ul>
              {group.items.map((item) => (
                <li key={item.to}>
                  <a href={item.to} aria-current={name && item.names.includes(name) ? "page" : undefined}>
                    {item.text}
                  </a>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </div>
    </nav>
  );
}
