import { shorten } from "../format/hex";
import { CopyButton } from "./copy";

interface Named {
  value: string;
  /** Where a click leads; without it the text is only shown. */
  href?: string;
  label?: string | undefined;
  head?: number;
}

function Identity({ value, href, label, head = 6, kind }: Named & { kind: string }) {
  const text = label || shorten(value, head);
  const className = label ? "identity" : "identity mono";
  return (
    <span class={className}>
      {href ? (
        <a href={href} title={value}>
          {text}
        </a>
      ) : (
        <span title={value}>{text}</span>
      )}
      <CopyButton text={value} what={kind} />
    </span>
  );
}

/** An account. */
export function Account(named: Named) {
  return <Identity {...named} kind="address" />;
}

/** A runner, by its name where it has one. */
export function RunnerLink({ node, name }: { node: string; name?: string | undefined }) {
  return <Identity value={node} href={`/runners/${node}`} label={name} kind="address" />;
}

export function TaskLink({ id }: { id: string }) {
  return <Identity value={id} href={`/tasks/${id}`} head={8} kind="task id" />;
}

/** A learning session, by its name where its configuration tells one. */
export function SessionLink({ id, name }: { id: string; name?: string | undefined }) {
  return <Identity value={id} href={`/sessions/${id}`} label={name} head={8} kind="session id" />;
}

/** A payment channel. */
export function ChannelLink({ id }: { id: string }) {
  return <Identity value={id} href={`/channels/${id}`} head={8} kind="channel id" />;
}

export function Hash({ value, kind = "hash" }: { value: string; kind?: string }) {
  return <Identity value={value} head={8} kind={kind} />;
}
