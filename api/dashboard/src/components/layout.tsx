import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";

interface HeadingProps {
  title: string;
  lead?: ComponentChildren;
  children?: ComponentChildren;
}

/** The page's heading, which also names the document. */
export function Heading({ title, lead, children }: HeadingProps) {
  useEffect(() => {
    document.title = title === "Parity" ? title : `${title} · Parity`;
  }, [title]);
  return (
    <header class="heading">
      <div>
        <h1>{title}</h1>
        {lead && <p class="lead">{lead}</p>}
      </div>
      {children && <div class="heading-side">{children}</div>}
    </header>
  );
}

interface PanelProps {
  title?: ComponentChildren;
  side?: ComponentChildren;
  children: ComponentChildren;
  class?: string;
}

export function Panel({ title, side, children, class: className = "" }: PanelProps) {
  return (
    <section class={`panel ${className}`}>
      {title && (
        <div class="panel-head">
          <h2>{title}</h2>
          {side && <div class="panel-side">{side}</div>}
        </div>
      )}
      {children}
    </section>
  );
}

/** One figure of a row of figures. */
export function Figure({
  label,
  children,
  note,
}: {
  label: string;
  children: ComponentChildren;
  note?: ComponentChildren;
}) {
  return (
    <div class="figure">
      <dt>{label}</dt>
      <dd>{children}</dd>
      {note && <dd class="figure-note">{note}</dd>}
    </div>
  );
}

export function Figures({ children }: { children: ComponentChildren }) {
  return <dl class="figures">{children}</dl>;
}

/** Names and values, two columns. */
export function Facts({ children }: { children: ComponentChildren }) {
  return <dl class="facts">{children}</dl>;
}

export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
