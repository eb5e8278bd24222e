import { Heading } from "../components/layout";

export function NotFound({ path }: { path: string }) {
  return (
    <>
      <Heading title="Page not found" lead={<>There is nothing at {path}.</>} />
      <p>
        <a href="/">Go to the overview</a>
      </p>
    </>
  );
}
