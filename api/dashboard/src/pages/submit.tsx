import { Heading } from "../components/layout";

export function Submit(_: { search: URLSearchParams }) {
  return <Heading title="Submit a prompt" />;
}
