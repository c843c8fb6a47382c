import { useI18n } from 'vue-i18n';

/** What people call an endpoint; one of a later release than this page keeps the name that it has in the log. */
export const useEndpointName = (): ((endpoint: string) => string) => {
  const words = useI18n();
  return (endpoint) => {
    const key = `requests.endpoints.${endpoint}`;
    return words.te(key) ? words.t(key) : endpoint;
  };
};
