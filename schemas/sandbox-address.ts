/** The sandbox runs inside the server, whatever its port: its address is only a name that leads nowhere. */
export const SANDBOX_ADDRESS = 'https://sandbox.invalid/v1';
