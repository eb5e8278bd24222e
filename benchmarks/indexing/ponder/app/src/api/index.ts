// `ponder start` wants one; nobody asks it anything here.
import { Hono } from "hono";

const app = new Hono();

export default app;
